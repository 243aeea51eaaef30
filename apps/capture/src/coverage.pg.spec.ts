import { describe, expect, it } from '@jest/globals';
import { DEFAULT_INCREMENTAL_OPTIONS } from '@sluice/contracts';
import { connect } from '@sluice/postgres-client';
import { ddlCaptureState, installDdlCapture } from '@sluice/postgres-ddl';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { Coverage } from './coverage.js';

const NAME = `sluice_${'0'.repeat(32)}`;
const OPTIONS = { helperName: NAME, publicationName: NAME };
const FOLLOWED = { ...DEFAULT_INCREMENTAL_OPTIONS, ddl: { enabled: true, policies: {} } };

/** A capture as an earlier version installed it, which signed nothing. */
async function withOldCapture(): Promise<TestDatabase> {
  const source = await testDatabase();
  await source.query(`CREATE PUBLICATION ${NAME}`);
  await installDdlCapture(await source.connect(), OPTIONS);
  await source.query(`
    CREATE OR REPLACE FUNCTION ${NAME}.capture() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    DROP SEQUENCE ${NAME}.secret_1, ${NAME}.secret_2, ${NAME}.secret_3, ${NAME}.secret_4, ${NAME}.signed_since`);
  return source;
}

describe('a capture of DDL that an earlier version has installed', () => {
  it('is replaced when the source is looked at', async () => {
    await using source = await withOldCapture();
    const client = await source.connect();
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isRunning: true, isComplete: false });
    const coverage = new Coverage({ slotName: NAME, publicationName: NAME, incremental: FOLLOWED });
    await coverage.check(client);
    await coverage.check(client);
    expect(await ddlCaptureState(client, OPTIONS)).toMatchObject({ isCurrent: true, isComplete: true });
    const [since] = await source.query<{ isLater: boolean }>(
      `SELECT last_value > 0 AND last_value <= pg_current_wal_lsn() - '0/0' AS "isLater" FROM ${NAME}.signed_since`,
    );
    expect(since?.isLater).toBe(true);
  });

  it('stops the task where its account may not replace it', async () => {
    await using source = await withOldCapture();
    await using account = await connect(await source.createRole(), { applicationName: 'spec' });
    const coverage = new Coverage({ slotName: NAME, publicationName: NAME, incremental: FOLLOWED });
    await expect(coverage.check(account)).rejects.toMatchObject({
      code: 'SLUICE-4008',
      detail: expect.stringContaining('sequences secret_1'),
    });
  });

  it('is not replaced when somebody has switched it off since, as DDL was missed', async () => {
    await using source = await withOldCapture();
    await source.query(`ALTER EVENT TRIGGER "00_${NAME}_drop" DISABLE`);
    const coverage = new Coverage({ slotName: NAME, publicationName: NAME, incremental: FOLLOWED });
    await expect(coverage.check(await source.connect())).rejects.toMatchObject({ code: 'SLUICE-4008' });
  });
});
