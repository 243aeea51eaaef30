import { describe, expect, it } from '@jest/globals';
import { connect } from '@sluice/postgres-client';
import { testDatabase, testServer } from '../index.js';

async function databaseExists(name: string): Promise<boolean> {
  const server = await testServer();
  await using admin = await connect(server.endpoint('postgres'), { applicationName: 'spec' });
  const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  return rowCount === 1;
}

describe('testDatabase', () => {
  it('has the schema asked for and an odd time zone', async () => {
    await using db = await testDatabase({ schema: 'CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);' });
    expect(await db.query('SELECT sum(a)::int AS sum FROM t WHERE a > $1', [0])).toEqual([{ sum: 3 }]);
    expect(await db.query('SHOW timezone')).toEqual([{ TimeZone: 'Asia/Kathmandu' }]);
  });

  it('is dropped with its slots, sessions and roles', async () => {
    const db = await testDatabase();
    await db.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [`slot_of_${db.name}`]);
    await db.query('CREATE PUBLICATION p FOR ALL TABLES');
    const role = await db.createRole('REPLICATION');
    const reader = await connect({ ...role }, { applicationName: 'spec', replication: 'database' });
    const streaming = reader.query(
      `START_REPLICATION SLOT "slot_of_${db.name}" LOGICAL 0/0 (proto_version '1', publication_names 'p')`,
    );
    streaming.catch(() => undefined);
    await db[Symbol.asyncDispose]();
    await reader.end().catch(() => undefined);
    expect(await databaseExists(db.name)).toBe(false);
    await using other = await testDatabase();
    expect(
      await other.query('SELECT 1 FROM pg_replication_slots WHERE slot_name = $1', [`slot_of_${db.name}`]),
    ).toEqual([]);
    expect(await other.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role.user])).toEqual([]);
  });

  it('works on the oldest major', async () => {
    await using db = await testDatabase({ major: 10, schema: 'CREATE TABLE t (a int)' });
    expect(db.server.major).toBe(10);
  });

  it('reports an error of the schema and leaves no database', async () => {
    const name = 'schema_with_error';
    await expect(testDatabase({ name, schema: 'CREATE TABLE t (a nosuchtype)' })).rejects.toThrow('nosuchtype');
    expect(await databaseExists(name)).toBe(false);
  });
});
