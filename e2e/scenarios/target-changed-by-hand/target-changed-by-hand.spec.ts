import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Conflict, type ConflictPolicy, DEFAULT_INCREMENTAL_OPTIONS } from '@sluice/contracts';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { z } from 'zod';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { MIXED } from '../../src/mixed-schema.js';
import { startWriters, type Writers } from '../../src/writers.js';

const ITEMS = `
  CREATE SCHEMA hand;
  CREATE TABLE hand.item (id integer PRIMARY KEY, code text NOT NULL UNIQUE, note text);
  INSERT INTO hand.item SELECT i, 'c' || i, 'loaded' FROM generate_series(1, 10) AS i;`;
/** What a person does to the target: rows go, appear, and take keys that others will want. */
const BY_HAND = `
  DELETE FROM hand.item WHERE id IN (1, 2);
  INSERT INTO hand.item VALUES (101, 'h101', 'by hand'), (900, 'c102', 'by hand'), (901, 'c3-new', 'by hand');
  DELETE FROM bank.checking WHERE id <= 5`;
/** What applications do to the source afterwards. */
const ON_SOURCE = [
  "UPDATE hand.item SET note = 'updated' WHERE id = 1",
  'DELETE FROM hand.item WHERE id = 2',
  "BEGIN; INSERT INTO hand.item VALUES (101, 'c101', 'new'); INSERT INTO hand.item VALUES (102, 'c102', 'new'); COMMIT",
  "UPDATE hand.item SET code = 'c3-new' WHERE id = 3",
];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

interface Running {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly writers: Writers;
  readonly taskId: string;
}

async function running(conflictPolicy: ConflictPolicy, seed: number): Promise<Running> {
  const source = await cluster.sourceDatabase(MIXED + ITEMS);
  const target = await cluster.targetDatabase();
  const incremental = { ...DEFAULT_INCREMENTAL_OPTIONS, conflictPolicy };
  const taskId = await cluster.createAndStart({ source, target }, { incremental });
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
  return { source, target, taskId, writers: await startWriters(source, seed) };
}

async function conflictsOf(taskId: string, query = ''): Promise<Conflict[]> {
  const response = await fetch(`${cluster.apiUrl}/api/v1/tasks/${taskId}/conflicts?rows=true&${query}`, {
    headers: { authorization: `Bearer ${cluster.adminKey}` },
  });
  return z.object({ items: z.array(Conflict) }).parse(await response.json()).items;
}

/** In the order in which they were met. */
async function untilListed(taskId: string, count: number): Promise<string[]> {
  const conflicts = await waitFor(`${count} conflicts to be listed`, async () => {
    const listed = await conflictsOf(taskId, 'schema=hand');
    return listed.length >= count && listed;
  });
  return conflicts
    .toReversed()
    .map(({ operation, kind, constraint, action }) => `${operation} ${kind} ${constraint ?? '-'} ${action}`);
}

const rowsOf = (database: TestDatabase, table: string): Promise<unknown[]> =>
  database.query(`SELECT t::text AS row FROM ${table} AS t ORDER BY 1`);

it('overwrite: ends equal, and every conflict is listed once, though apply is killed', async () => {
  const { source, target, writers, taskId } = await running('overwrite', 1);
  await using _writers = writers;
  await target.query(BY_HAND);
  for (const statement of ON_SOURCE) await source.query(statement);
  await writers.untilMore(30);
  cluster.kill9('apply');
  await writers.untilMore(100);
  await writers.stop();
  // Every account that was taken away is wanted once.
  await source.query('UPDATE bank.checking SET balance = balance');
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
  expect(await untilListed(taskId, 5)).toEqual([
    'update missing_row - overwritten',
    'delete missing_row - ignored',
    'insert duplicate_key item_pkey overwritten',
    'insert duplicate_key item_code_key overwritten',
    'update duplicate_key item_code_key overwritten',
  ]);
  const [taken] = await conflictsOf(taskId, 'schema=hand&kind=duplicate_key&operation=update');
  expect(taken).toMatchObject({
    key: { id: '3' },
    sourceRow: { id: '3', code: 'c3-new', note: 'loaded' },
    targetRows: [{ id: '901', code: 'c3-new', note: 'by hand' }],
  });
  const accounts = await waitFor('the conflicts of all accounts to be listed', async () => {
    const listed = await conflictsOf(taskId, 'schema=bank&table=checking');
    return listed.length >= 5 && listed;
  });
  expect(accounts.map(({ key }) => Number(key['id'])).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
  expect(await conflictsOf(taskId, 'schema=hand')).toHaveLength(5);
});

it('ignore: keeps what the target has, and all else goes on', async () => {
  const { source, target, writers, taskId } = await running('ignore', 2);
  await using _writers = writers;
  await target.query(BY_HAND);
  const before = await rowsOf(target, 'hand.item');
  for (const statement of ON_SOURCE) await source.query(statement);
  await writers.untilMore(100);
  await writers.stop();
  await untilCaughtUp(source, target);
  expect(await rowsOf(target, 'hand.item')).toEqual(before);
  expect(await untilListed(taskId, 5)).toEqual([
    'update missing_row - ignored',
    'delete missing_row - ignored',
    'insert duplicate_key item_pkey ignored',
    'insert duplicate_key item_code_key ignored',
    'update duplicate_key item_code_key ignored',
  ]);
  expect(await target.query('SELECT id FROM bank.checking WHERE id <= 5')).toEqual([]);
  // What nobody touched by hand is equal all the same.
  await target.query('TRUNCATE hand.item, bank.checking');
  await source.query('DELETE FROM hand.item');
  await source.query('DELETE FROM bank.checking');
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
});

it('error: nothing of the transaction is applied and the row is shown; once the target is repaired it goes on', async () => {
  const { source, target, writers, taskId } = await running('error', 3);
  await using _writers = writers;
  await target.query("INSERT INTO hand.item VALUES (101, 'h101', 'by hand')");
  await source.query(
    "BEGIN; INSERT INTO hand.item VALUES (100, 'c100'); INSERT INTO hand.item VALUES (101, 'c101'); COMMIT",
  );
  const { evidence } = await cluster.untilFailed(taskId, 'incremental_failed', 'SLUICE-5001');
  expect(evidence).toMatchObject({
    schema: 'hand',
    table: 'item',
    constraint: 'item_pkey',
    key: '{"id":"101"}',
    changeNumber: '1',
  });
  expect(await conflictsOf(taskId)).toMatchObject([
    {
      conflictId: evidence?.['conflictId'],
      action: 'stopped',
      sourceRow: { id: '101', code: 'c101', note: null },
      targetRows: [{ id: '101', code: 'h101', note: 'by hand' }],
    },
  ]);
  expect(await target.query('SELECT id FROM hand.item WHERE id >= 100')).toEqual([{ id: 101 }]);
  await target.query('DELETE FROM hand.item WHERE id = 101');
  await cluster.api.act(taskId, 'retry');
  await cluster.untilState(taskId, 'incremental');
  await writers.untilMore(50);
  await writers.stop();
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
  expect(await conflictsOf(taskId)).toHaveLength(1);
});
