import { describe, expect, it } from '@jest/globals';
import { freePort, type PostgresServer } from '@sluice/embedded';
import { Secret } from '@sluice/kernel';
import { type Endpoint } from '@sluice/postgres-client';
import { dedicatedServer, testDatabase, type TestDatabase } from '@sluice/testing';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { testConnections } from './test-connections.js';

/** The outcome of one side, the other one being fine: the steps that ran, the code and the fix of the one that failed. */
async function outcomeOf(side: 'source' | 'target', endpoint: Endpoint, fine: TestDatabase): Promise<Outcome> {
  const endpoints = { source: fine.endpoint, target: fine.endpoint, [side]: endpoint };
  const result = await testConnections(endpoints, { stepTimeoutMs: 3_000 });
  expect(result.passed).toBe(false);
  expect(JSON.stringify(result)).not.toContain(endpoint.password.reveal());
  const steps = result.steps.filter((step) => step.side === side);
  const failed = steps.at(-1);
  return { steps: steps.map(({ step }) => step), code: failed?.error?.code, remedy: failed?.error?.remedy };
}

interface Outcome {
  readonly steps: readonly string[];
  readonly code: string | undefined;
  readonly remedy: string | undefined;
}

const at = (outcome: Outcome): [readonly string[], string | undefined] => [outcome.steps, outcome.code];

describe('testConnections', () => {
  it.each([10, 18] as const)('passes on PostgreSQL %i with facts for people', async (major) => {
    await using db = await testDatabase({ major });
    const result = await testConnections({ source: db.endpoint, target: db.endpoint });
    expect(result).toMatchObject({
      passed: true,
      steps: [
        {
          side: 'source',
          step: 'connect',
          passed: true,
          facts: {
            serverVersion: expect.stringMatching(new RegExp(`^${major}\\.`)),
            tls: 'none: the connection is not encrypted',
            inRecovery: 'no',
            role: expect.stringMatching(/^postgres: SUPERUSER, REPLICATION/),
            roundTripMs: expect.stringMatching(/^\d+\.\d\d$/),
            clockSkewMs: expect.stringMatching(/^-?\d+$/),
          },
        },
        { side: 'source', step: 'replication', passed: true, facts: { walLsn: expect.stringMatching(/^\w+\/\w+$/) } },
        { side: 'target', step: 'connect', passed: true },
      ],
    });
    // Both run on one machine, so there is one clock.
    expect(Math.abs(Number(result.steps[0]?.facts?.['clockSkewMs']))).toBeLessThan(200);
  });

  it.each<{ name: string; code: string; change: (db: TestDatabase) => Promise<Partial<Endpoint>> }>([
    { name: 'an unknown host', code: 'SLUICE-1001', change: async () => ({ host: 'no-such-host.invalid' }) },
    { name: 'a port where nobody listens', code: 'SLUICE-1003', change: async () => ({ port: await freePort() }) },
    { name: 'a wrong password', code: 'SLUICE-1005', change: async () => ({ password: new Secret('not-it') }) },
    { name: 'an unknown role', code: 'SLUICE-1005', change: async () => ({ user: 'nobody_here' }) },
    { name: 'an unknown database', code: 'SLUICE-1007', change: async () => ({ database: 'no_such_db' }) },
    { name: 'a role without LOGIN', code: 'SLUICE-1006', change: roleWithoutLogin },
    {
      name: 'a role with all its connections taken',
      code: 'SLUICE-1010',
      change: (db) => db.createRole('CONNECTION LIMIT 0'),
    },
    {
      name: 'a database without CONNECT for the role',
      code: 'SLUICE-1006',
      change: async (db) => {
        await db.query(`REVOKE CONNECT ON DATABASE ${db.name} FROM PUBLIC`);
        return db.createRole();
      },
    },
    { name: 'TLS that the server lacks', code: 'SLUICE-1008', change: async () => ({ tls: { mode: 'require' } }) },
  ])('names $name', async ({ code, change }) => {
    await using db = await testDatabase({ major: 18 });
    const changed = { ...db.endpoint, ...(await change(db)) };
    expect(at(await outcomeOf('source', changed, db))).toEqual([['connect'], code]);
    expect(at(await outcomeOf('target', changed, db))).toEqual([['connect'], code]);
  });

  it.each([10, 18] as const)('names a role that may not replicate on PostgreSQL %i', async (major) => {
    await using db = await testDatabase({ major });
    const plain = await outcomeOf('source', await db.createRole(), db);
    expect(plain).toMatchObject({ steps: ['connect', 'replication'], code: 'SLUICE-1013' });
    expect(plain.remedy).toContain('REPLICATION');
    const endpoints = { source: await db.createRole(), target: db.endpoint };
    const withoutChanges = await testConnections(endpoints, { needsReplication: false });
    expect(withoutChanges).toMatchObject({ passed: true, steps: [{ side: 'source' }, { side: 'target' }] });
    const { passed } = await testConnections({ source: await db.createRole('REPLICATION'), target: db.endpoint });
    expect(passed).toBe(true);
  });

  it('shows the line that pg_hba.conf lacks', async () => {
    await using server = await dedicatedServer();
    await using db = await testDatabase({ server });
    const role = await db.createRole('REPLICATION');
    await allowOnly(server, `host all ${server.superuser} all scram-sha-256`);
    const outcome = await outcomeOf('source', role, db);
    expect(at(outcome)).toEqual([['connect'], 'SLUICE-1004']);
    expect(outcome.remedy).toContain(`host ${db.name} ${role.user} 127.0.0.1/32 scram-sha-256`);
  });

  it('does not wait for a server that never answers', async () => {
    await using db = await testDatabase();
    const silent = createServer().listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => silent.once('listening', resolve));
      const { port } = silent.address() as AddressInfo;
      const result = await testConnections(
        { source: { ...db.endpoint, port }, target: db.endpoint },
        { stepTimeoutMs: 300 },
      );
      expect(result.steps[0]).toMatchObject({ passed: false, error: { code: 'SLUICE-1002' } });
      expect(result.steps[1]).toMatchObject({ side: 'target', passed: true });
    } finally {
      silent.close();
    }
  });

  it('tries a refused login once', async () => {
    await using server = await dedicatedServer({ settings: { log_connections: 'on' } });
    await using db = await testDatabase({ server });
    const role = { ...(await db.createRole()), password: new Secret('wrong-one') };
    await outcomeOf('source', role, db);
    const log = await db.query<{ log: string }>("SELECT pg_read_file('server.log') AS log");
    const refusals = log[0]?.log.match(new RegExp(`password authentication failed for user "${role.user}"`, 'g'));
    expect(refusals).toHaveLength(1);
  });
});

async function roleWithoutLogin(db: TestDatabase): Promise<Endpoint> {
  const role = await db.createRole();
  await db.query(`ALTER ROLE ${role.user} NOLOGIN`);
  return role;
}

async function allowOnly(server: PostgresServer, line: string): Promise<void> {
  await writeFile(path.join(server.dataDir, 'pg_hba.conf'), `${line}\n`);
  await server.restart();
}
