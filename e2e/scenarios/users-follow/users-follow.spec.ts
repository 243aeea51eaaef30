import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SourceRoleList } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { connect } from '@sluice/postgres-client';
import { expectSameRows } from '@sluice/testing';
import { randomBytes } from 'node:crypto';
import { type Cluster, startCluster } from '../../src/cluster.js';

/** Roles belong to servers that other tests use, too. */
const SUFFIX = randomBytes(4).toString('hex');
const [OWNER, READER, GROUP] = [`owner_${SUFFIX}`, `reader_${SUFFIX}`, `group_${SUFFIX}`];
const SHOP = `
  CREATE ROLE ${OWNER} LOGIN PASSWORD 'secret-owner'; CREATE ROLE ${READER} LOGIN PASSWORD 'secret-reader'; CREATE ROLE ${GROUP};
  CREATE SCHEMA app AUTHORIZATION ${OWNER};
  CREATE TABLE app.sale (id int PRIMARY KEY, amount numeric); ALTER TABLE app.sale OWNER TO ${OWNER};
  GRANT USAGE ON SCHEMA app TO ${GROUP}; GRANT SELECT ON app.sale TO ${GROUP};
  INSERT INTO app.sale SELECT g, g FROM generate_series(1, 100) AS g`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ sourceMajor: 15, targetMajor: 18 });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${cluster.apiUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect([path, response.status]).toEqual([path, 200]);
  return response.json();
}

it('an account that is no superuser brings roles, and rows to what they own, from the list to the end', async () => {
  const source = await cluster.sourceDatabase(SHOP);
  const target = await cluster.targetDatabase();
  const account = await target.createRole('CREATEROLE');
  await target.query(`ALTER DATABASE ${target.name} OWNER TO ${account.user};
    GRANT SET ON PARAMETER session_replication_role TO ${account.user}`);
  try {
    const taskId = await cluster.create({ source, target: { endpoint: account } });
    const roles = SourceRoleList.parse(await call('GET', `/tasks/${taskId}/source-roles?search=${SUFFIX}`)).items;
    expect(roles.map(({ name, canSync }) => [name, canSync])).toEqual(
      [GROUP, OWNER, READER].map((name) => [name, true]),
    );
    await call('PUT', `/tasks/${taskId}/users`, { roles: roles.map(({ name }) => name) });
    await call('POST', `/tasks/${taskId}/start`);
    await cluster.untilState(taskId, 'incremental');

    await source.query(
      `INSERT INTO app.sale SELECT g, g FROM generate_series(101, 200) AS g; GRANT ${GROUP} TO ${READER}`,
    );
    await call('POST', `/tasks/${taskId}/end`);
    await cluster.untilState(taskId, 'ended');
    await expectSameRows(source, target);

    await using reader = await connect(
      { ...target.endpoint, user: READER, password: new Secret('secret-reader') },
      { applicationName: 'reader' },
    );
    const { rows } = await reader.query('SELECT count(*)::int AS count FROM app.sale');
    expect(rows).toEqual([{ count: 200 }]);
    await expect(reader.query('DELETE FROM app.sale')).rejects.toThrow('permission denied for table sale');
    const tables = await target.query("SELECT relowner::regrole::text AS owner FROM pg_class WHERE relname = 'sale'");
    expect(tables).toEqual([{ owner: OWNER }]);
  } finally {
    for (const database of [source, target]) {
      for (const name of [OWNER, READER, GROUP]) {
        await database.query(`DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}`);
      }
    }
    await target.query(`REVOKE SET ON PARAMETER session_replication_role FROM ${account.user}`);
  }
}, 120_000);
