import { describe, expect, it } from '@jest/globals';
import { DEFAULT_INCREMENTAL_OPTIONS, EVERYTHING, type ObjectSelection } from '@sluice/contracts';
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
    const coverage = new Coverage({
      slotName: NAME,
      publicationName: NAME,
      incremental: FOLLOWED,
      objects: EVERYTHING,
    });
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
    const coverage = new Coverage({
      slotName: NAME,
      publicationName: NAME,
      incremental: FOLLOWED,
      objects: EVERYTHING,
    });
    await expect(coverage.check(account)).rejects.toMatchObject({
      code: 'SLUICE-4008',
      detail: expect.stringContaining('sequences secret_1'),
    });
  });

  it('is not replaced when somebody has switched it off since, as DDL was missed', async () => {
    await using source = await withOldCapture();
    await source.query(`ALTER EVENT TRIGGER "00_${NAME}_drop" DISABLE`);
    const coverage = new Coverage({
      slotName: NAME,
      publicationName: NAME,
      incremental: FOLLOWED,
      objects: EVERYTHING,
    });
    await expect(coverage.check(await source.connect())).rejects.toMatchObject({ code: 'SLUICE-4008' });
  });
});

describe('of chosen objects', () => {
  const SCHEMA = `CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE left_out (id int PRIMARY KEY);
    CREATE TABLE root (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE leaf PARTITION OF root FOR VALUES IN (1);
    CREATE PUBLICATION ${NAME} FOR TABLE ONLY kept, ONLY leaf`;
  const AT_DATABASE: ObjectSelection = { level: 'database', exclude: ['*.left_*'] };
  const AT_TABLES: ObjectSelection = {
    level: 'table',
    objects: [{ kind: 'table', schema: 'public', name: 'root' }],
    include: ['public.k*'],
  };
  const cover = (objects: ObjectSelection): Coverage =>
    new Coverage({ slotName: NAME, publicationName: NAME, incremental: DEFAULT_INCREMENTAL_OPTIONS, objects });

  it.each([
    ['one that matches', AT_DATABASE, 'CREATE TABLE added (id int)', 'public.added'],
    ['one that is excluded', AT_DATABASE, 'CREATE TABLE left_behind (id int)', null],
    ['one that a pattern would select', AT_TABLES, 'CREATE TABLE kind_of (id int)', null],
    [
      'a partition of one that is listed',
      AT_TABLES,
      'CREATE TABLE another PARTITION OF root FOR VALUES IN (2)',
      'public.another',
    ],
    ['one that was renamed out of it', AT_DATABASE, 'ALTER TABLE kept RENAME TO left_t', null],
    ['one that was renamed into it', AT_DATABASE, 'ALTER TABLE left_out RENAME TO came_in', 'public.came_in'],
  ])('%s: what is new and belongs to the task must be published', async (...row) => {
    const [, objects, statement, missing] = row;
    await using source = await testDatabase({ schema: SCHEMA });
    const coverage = cover(objects);
    const client = await source.connect();
    await coverage.check(client);
    await source.query(statement);
    if (missing === null) await coverage.check(client);
    else await expect(coverage.check(client)).rejects.toMatchObject({ code: 'SLUICE-4006', detail: missing });
  });

  it('a table that is followed is missed whatever its name is, once it is taken out of the publication', async () => {
    await using source = await testDatabase({ schema: SCHEMA });
    const coverage = cover(AT_DATABASE);
    const client = await source.connect();
    await coverage.check(client);
    await source.query(`ALTER TABLE kept RENAME TO left_t; ALTER PUBLICATION ${NAME} DROP TABLE left_t`);
    await expect(coverage.check(client)).rejects.toMatchObject({ code: 'SLUICE-4005' });
  });
});
