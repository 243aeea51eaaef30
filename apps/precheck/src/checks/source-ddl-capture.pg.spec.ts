import { describe, expect, it } from '@jest/globals';
import { Secret } from '@sluice/kernel';
import { present } from '@sluice/kernel';
import { installDdlCapture } from '@sluice/postgres-ddl';
import { testDatabase } from '@sluice/testing';
import { randomBytes } from 'node:crypto';
import { runPrechecks } from '../run-prechecks.js';
import { sourceDdlCapture } from './source-ddl-capture.js';

const NAMES = { helperName: `sluice_${'0'.repeat(32)}`, publicationName: `sluice_${'0'.repeat(32)}` };

async function check(endpoint: Parameters<typeof runPrechecks>[0]['source'], ddlCapture: typeof NAMES | null) {
  const { checks } = await runPrechecks(
    { source: endpoint, target: endpoint },
    { checks: [sourceDdlCapture], ddlCapture },
  );
  return present(checks[0], 'the report');
}

describe('source-ddl-capture', () => {
  it.each([13, 18] as const)('passes for a superuser of PostgreSQL %s, and where it was installed', async (major) => {
    await using db = await testDatabase({ major });
    expect((await check(db.endpoint, NAMES)).outcome).toBe('passed');
    const session = await db.connect();
    await session.query(`CREATE PUBLICATION ${NAMES.publicationName}`);
    await installDdlCapture(session, NAMES);
    expect(await check(db.endpoint, NAMES)).toMatchObject({
      outcome: 'passed',
      evidence: 'event triggers are installed',
    });
  });

  it('warns a role without the right, with the statements that a superuser can run', async () => {
    await using db = await testDatabase();
    const role = `plain_${randomBytes(4).toString('hex')}`;
    await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p' REPLICATION`);
    try {
      const endpoint = { ...db.endpoint, user: role, password: new Secret('p') };
      const report = await check(endpoint, NAMES);
      expect(report.outcome).toBe('warning');
      expect(report.fix).toContain('CREATE EVENT TRIGGER');
      expect((await check(endpoint, null)).outcome).toBe('passed');
    } finally {
      await db.query(`DROP ROLE ${role}`);
    }
  });
});
