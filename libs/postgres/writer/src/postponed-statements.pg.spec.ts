import { describe, expect, it } from '@jest/globals';
import { type DdlDecision } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { formatLsn } from '@sluice/model';
import { type Client, inTransaction } from '@sluice/postgres-client';
import { DdlPair, failureOf } from '@sluice/testing';
import { createAdoptionTables } from './pending-tables.js';
import { type ExecutedDdl } from './ddl-runner.js';
import { runPostponed } from './postponed-statements.js';
const SHOP = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE child (id int PRIMARY KEY, t_id int);
  INSERT INTO t VALUES (1, 'one'), (2, 'two')`;

const MAJORS = { source: 15, target: 15 } as const;
const FOREIGN_KEY = 'ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (t_id) REFERENCES parent';

/** As when the rows of all tables have come. */
async function join(
  { taskId, target }: DdlPair,
  { rows, decisions = [] }: { rows: string; decisions?: readonly DdlDecision[] },
): Promise<ExecutedDdl[]> {
  const client = await target.connect();
  return inTransaction(client, 'BEGIN', async () => {
    await client.query(`${rows}; DELETE FROM sluice.adoption`);
    return runPostponed(client, { taskId, decisions });
  });
}

/** A foreign key that waits for the rows of a new table. @returns where it stands in the stream. */
async function postponeForeignKey(setup: DdlPair): Promise<{ commitLsn: string; number: number }> {
  const session = await setup.open();
  const transactions = await setup.record(
    'CREATE TABLE parent (id int PRIMARY KEY)',
    `BEGIN; COMMENT ON TABLE parent IS 'first'; INSERT INTO parent VALUES (5)`,
    FOREIGN_KEY,
    'COMMIT',
  );
  await session.applyTransactions(transactions);
  await session.close();
  return { commitLsn: formatLsn(present(transactions[1], 'the transaction').commitLsn), number: 2 };
}

function keysOf({ target }: DdlPair): Promise<readonly { name: string }[]> {
  return target.query(`SELECT conname AS name FROM pg_constraint WHERE contype = 'f'`);
}

function withChild(): Promise<DdlPair> {
  return DdlPair.create(`${SHOP}; INSERT INTO child VALUES (1, 5)`, MAJORS);
}

describe('a statement that waited for the rows of new tables', () => {
  it('is executed with them', async () => {
    await using setup = await withChild();
    const place = await postponeForeignKey(setup);
    const executed = await join(setup, { rows: 'INSERT INTO parent VALUES (5)' });
    expect(executed).toMatchObject([{ outcome: 'applied', identity: 'public.child', place: { number: place.number } }]);
    expect(await keysOf(setup)).toEqual([{ name: 'child_parent' }]);
    expect(await setup.target.query('SELECT FROM sluice.adoption_step')).toEqual([]);
  });

  it('is shown with its text and its place in the stream when the target refuses it, and waits on', async () => {
    await using setup = await withChild();
    const place = await postponeForeignKey(setup);
    const error = await failureOf(join(setup, { rows: 'INSERT INTO parent VALUES (6)' }));
    expect(error).toMatchObject({
      code: 'SLUICE-5013',
      evidence: {
        commitLsn: place.commitLsn,
        number: '2',
        tag: 'ALTER TABLE',
        class: 'table',
        identity: 'public.child',
        statement: FOREIGN_KEY,
        sqlState: '23503',
      },
    });
    expect(await setup.target.query('SELECT FROM sluice.adoption_step')).toHaveLength(1);
  });

  it.each<{ decision: 'skip' | 'replace'; outcome: string; keys: object[] }>([
    { decision: 'skip', outcome: 'skipped', keys: [] },
    { decision: 'replace', outcome: 'replaced', keys: [{ name: 'child_parent' }] },
  ])('is decided on like every DDL: $decision', async ({ decision, outcome, keys }) => {
    await using setup = await withChild();
    const place = await postponeForeignKey(setup);
    const decisions: DdlDecision[] = [
      decision === 'skip' ? { ...place, decision } : { ...place, decision, statement: `${FOREIGN_KEY} NOT VALID` },
    ];
    const executed = await join(setup, { rows: 'INSERT INTO parent VALUES (6)', decisions });
    expect(executed).toMatchObject([{ outcome }]);
    expect(await keysOf(setup)).toEqual(keys);
  });

  it('runs under all settings of the session that it came from', async () => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        'CREATE TABLE fresh (at timestamptz)',
        `SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'`,
        'CREATE MATERIALIZED VIEW shown AS SELECT at::text AS at FROM fresh',
        `CREATE FUNCTION is_early(t text) RETURNS bool LANGUAGE sql AS $$ SELECT t::date < '02.12.2020' $$`,
        'CREATE MATERIALIZED VIEW early AS SELECT is_early(at::text) AS early FROM fresh',
      ),
    );
    await session.close();
    await join(setup, { rows: `INSERT INTO fresh VALUES ('2020-12-01 00:00:00+09')` });
    expect(await setup.target.query('SELECT at FROM shown')).toEqual([{ at: '01.12.2020 00:00:00 JST' }]);
    expect(await setup.target.query('SELECT early FROM early')).toEqual([{ early: true }]);
  });

  it('is executed when the last table that it could wait for is dropped', async () => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        'CREATE TABLE fresh (id int)',
        'CREATE MATERIALIZED VIEW counted AS SELECT count(*)::int AS n FROM t',
        "INSERT INTO t VALUES (3, 'three')",
        'DROP TABLE fresh',
      ),
    );
    expect(await setup.target.query('SELECT FROM sluice.adoption_step')).toEqual([]);
    expect(setup.executed.map(({ tag, outcome }) => `${tag} ${outcome}`)).toEqual([
      'CREATE TABLE applied',
      'CREATE MATERIALIZED VIEW applied',
      'DROP TABLE applied',
      'CREATE MATERIALIZED VIEW applied',
    ]);
    await session.close();
  });
});

describe('what an earlier version has postponed', () => {
  it('is kept with its search path, and gets a place that a person can decide on', async () => {
    await using setup = await withChild();
    const client: Client = await setup.target.connect();
    await client.query(`
      CREATE TABLE parent (id int PRIMARY KEY);
      DROP TABLE sluice.adoption_step;
      CREATE TABLE sluice.adoption_step (
        step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_id uuid NOT NULL, relation_oid oid NOT NULL,
        search_path text[], statement text)`);
    await client.query(
      `INSERT INTO sluice.adoption_step (task_id, relation_oid, search_path, statement) VALUES ($1, 'child'::regclass, $2, $3)`,
      [setup.taskId, ['no "such"', 'public'], FOREIGN_KEY],
    );
    await createAdoptionTables(client);
    await createAdoptionTables(client);
    const error = await failureOf(join(setup, { rows: 'SELECT' }));
    expect(error).toMatchObject({
      code: 'SLUICE-5013',
      evidence: { commitLsn: '0/0', number: '1', statement: FOREIGN_KEY, sqlState: '23503' },
    });
    await join(setup, { rows: 'INSERT INTO parent VALUES (5)' });
    expect(await keysOf(setup)).toEqual([{ name: 'child_parent' }]);
  });
});
