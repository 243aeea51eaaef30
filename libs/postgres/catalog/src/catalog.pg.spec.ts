import { describe, expect, it } from '@jest/globals';
import { connect } from '@sluice/postgres-client';
import { testDatabase } from '@sluice/testing';
import { readSequences, readServerFacts, readTables, setSequences } from './index.js';

const EMPTY_PATH = { search_path: '' };
const SCHEMA = `
  CREATE TYPE mood AS ENUM ('ok');
  CREATE TYPE pair AS (a int, b json);
  CREATE DOMAIN positive AS numeric(8,2) CHECK (VALUE > 0);
  CREATE TABLE keyed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(10) NOT NULL, m mood, p pair, ms mood[], d positive, UNIQUE (name));
  CREATE TABLE by_index (a int NOT NULL, b int NOT NULL);
  CREATE UNIQUE INDEX by_index_key ON by_index (b, a);
  ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_key;
  CREATE TABLE whole (v text);
  ALTER TABLE whole REPLICA IDENTITY FULL;
  CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
  CREATE TABLE parent (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
  CREATE UNLOGGED TABLE fast (id int);
  CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER always BEFORE INSERT ON whole FOR EACH ROW EXECUTE PROCEDURE fire();
  ALTER TABLE whole ENABLE ALWAYS TRIGGER always;
  CREATE SCHEMA sluice;
  CREATE TABLE sluice.own (id int);
  CREATE TEMP TABLE temporary (id int);
  CREATE VIEW no_table AS SELECT 1 AS one`;

describe.each([10, 12, 15, 18] as const)('facts of a server of major %d', (major) => {
  it('tells tables, keys and what identifies a row', async () => {
    await using database = await testDatabase({ major, schema: SCHEMA });
    await database.query('INSERT INTO by_index SELECT g, g FROM generate_series(1, 10000) g');
    await database.query('ANALYZE by_index');
    const tables = await readTables(await database.connect(EMPTY_PATH));
    const facts = tables.map((table) => [
      table.name,
      table.kind,
      table.isPartition,
      table.persistence,
      table.replicaIdentity,
      table.primaryKey,
      table.identityKey,
      table.uniqueIndexCount,
      table.hasReplicaTriggers,
    ]);
    expect(facts).toEqual([
      ['by_index', 'table', false, 'permanent', 'index', null, ['b', 'a'], 1, false],
      ['deferred', 'table', false, 'permanent', 'default', ['id'], null, 1, false],
      ['fast', 'table', false, 'unlogged', 'default', null, null, 0, false],
      ['keyed', 'table', false, 'permanent', 'default', ['id'], ['id'], 2, false],
      ['parent', 'partitioned', false, 'permanent', 'default', null, null, 0, false],
      ['parent_1', 'table', true, 'permanent', 'default', null, null, 0, false],
      ['whole', 'table', false, 'permanent', 'full', null, null, 0, true],
    ]);
    const [loaded] = tables;
    expect(loaded).toMatchObject({ estimatedRows: 10_000, heapBlocks: (loaded?.heapBytes ?? 0) / 8192 });
  });

  it('tells how columns are declared, compared and copied', async () => {
    await using database = await testDatabase({ major, schema: SCHEMA });
    const client = await database.connect(EMPTY_PATH);
    const [keyed] = await readTables(client, { tables: [{ schema: 'public', name: 'keyed' }] });
    expect(
      keyed?.columns.map((c) => [
        c.name,
        c.typeSql,
        c.formattedType,
        c.notNull,
        c.identity,
        c.hasEquality,
        c.isBinaryCopySafe,
      ]),
    ).toEqual([
      ['id', 'integer', 'integer', true, 'always', true, true],
      ['name', 'character varying', 'character varying(10)', true, null, true, true],
      ['m', 'public.mood', 'public.mood', false, null, true, true],
      ['p', 'public.pair', 'public.pair', false, null, false, false],
      ['ms', 'public.mood[]', 'public.mood[]', false, null, true, false],
      ['d', 'public.positive', 'public.positive', false, null, true, true],
    ]);
  });

  it('tells what the server is and what the role may do', async () => {
    await using database = await testDatabase({ major });
    const role = await database.createRole();
    const facts = await readServerFacts(await database.connect());
    expect(facts).toMatchObject({
      major,
      walLevel: 'logical',
      isInRecovery: false,
      encoding: 'UTF8',
      canReplicate: true,
    });
    expect(facts.systemIdentifier).toMatch(/^\d{15,}$/);
    await database.query('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
    await using client = await connect(role, { applicationName: 'test' });
    expect(await readServerFacts(client)).toMatchObject({
      currentUser: role.user,
      isSuperuser: false,
      canReplicate: false,
      systemIdentifier: null,
      databaseOid: facts.databaseOid,
    });
  });

  it('carries sequences over exactly, also those that were set back or never used', async () => {
    const schema = `CREATE SEQUENCE used; CREATE SEQUENCE fresh START 7; CREATE SEQUENCE "set, not called";
      CREATE SEQUENCE big MAXVALUE 9223372036854775807; CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)`;
    await using source = await testDatabase({ major, schema });
    await using target = await testDatabase({ major, schema });
    await source.query(
      `SELECT nextval('used'), setval('"set, not called"', 50, false), setval('big', 9223372036854775806)`,
    );
    const states = await readSequences(await source.connect(EMPTY_PATH));
    expect(states).toEqual([
      { schema: 'public', name: 'big', lastValue: '9223372036854775806', isCalled: true },
      { schema: 'public', name: 'fresh', lastValue: '7', isCalled: false },
      { schema: 'public', name: 'set, not called', lastValue: '50', isCalled: false },
      { schema: 'public', name: 't_id_seq', lastValue: '1', isCalled: false },
      { schema: 'public', name: 'used', lastValue: '1', isCalled: true },
    ]);
    const client = await target.connect(EMPTY_PATH);
    await setSequences(client, states);
    expect(await readSequences(client)).toEqual(states);
  });
});
