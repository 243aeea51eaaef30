import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { helperObjectName, type TaskResource } from '@sluice/contracts';
import { expectSameRows, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';

const SHOP = `
  CREATE SCHEMA line; CREATE TABLE line.marks (mark uuid PRIMARY KEY);
  CREATE TABLE item (id int PRIMARY KEY, name text, price int);
  INSERT INTO item SELECT g, 'item ' || g, g FROM generate_series(1, 20) g`;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let taskId: string;

beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => cluster[Symbol.asyncDispose]());

async function begin(policies: Record<string, 'apply' | 'skip' | 'stop'> = {}): Promise<void> {
  source = await cluster.sourceDatabase(SHOP);
  target = await cluster.targetDatabase();
  taskId = await cluster.createAndStart({ source, target }, { incremental: { ddl: { enabled: true, policies } } });
  await cluster.untilState(taskId, 'incremental');
}

function untilFailed(): Promise<TaskResource> {
  return waitFor('the task to fail', async () => {
    const task = await cluster.api.getTask(taskId);
    return task.state === 'incremental_failed' && task;
  });
}

async function decide(body: Record<string, unknown>): Promise<number> {
  const { status } = await fetch(`${cluster.apiUrl}/api/v1/tasks/${taskId}/ddl-decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return status;
}

/** Where the DDL stands that stopped the task. */
function placeOf({ error }: TaskResource): { commitLsn: string; number: number } {
  return { commitLsn: error?.evidence?.['commitLsn'] ?? '', number: Number(error?.evidence?.['number']) };
}

async function expectGoesOn(): Promise<void> {
  await cluster.api.act(taskId, 'retry');
  await cluster.untilState(taskId, 'incremental');
  await untilCaughtUp(source, target);
}

describe('a DDL that the target refuses', () => {
  beforeEach(async () => {
    await begin();
    await target.query('CREATE VIEW report AS SELECT id, price FROM item');
    const session = await source.connect();
    await session.query("INSERT INTO item VALUES (100, 'before', 1)");
    await session.query('BEGIN');
    await session.query("UPDATE item SET name = 'in the transaction' WHERE id = 1");
    await session.query('ALTER TABLE item DROP COLUMN price');
    await session.query('COMMIT');
    await session.query("INSERT INTO item VALUES (101, 'after')");
  });

  it('stops the task with the statement and its place, and passes once a person has made room', async () => {
    const failed = await untilFailed();
    expect(failed.error).toMatchObject({
      code: 'SLUICE-5013',
      evidence: {
        number: '1',
        tag: 'ALTER TABLE',
        class: 'table',
        identity: 'public.item',
        statement: 'ALTER TABLE item DROP COLUMN price',
        sqlState: '2BP01',
      },
    });
    expect(await target.query('SELECT name FROM item WHERE id IN (1, 100, 101) ORDER BY id')).toEqual([
      { name: 'item 1' },
      { name: 'before' },
    ]);
    await target.query('DROP VIEW report');
    await expectGoesOn();
    await expectSameRows(source, target, { excludeSchemas: ['sluice', helperObjectName(taskId)] });
  });

  it('is replaced by what a person says', async () => {
    const failed = await untilFailed();
    const statement = 'ALTER TABLE item DROP COLUMN price CASCADE';
    expect(await decide({ ...placeOf(failed), number: 7, decision: 'replace', statement })).toBe(409);
    expect(await decide({ ...placeOf(failed), decision: 'replace', statement })).toBe(200);
    await expectGoesOn();
    await expectSameRows(source, target, { excludeSchemas: ['sluice', helperObjectName(taskId)] });
    expect(await decide({ ...placeOf(failed), decision: 'skip' })).toBe(409);
  });

  it('is skipped, and the rows of its transaction are applied', async () => {
    const failed = await untilFailed();
    expect(await decide({ ...placeOf(failed), decision: 'skip' })).toBe(200);
    await expectGoesOn();
    expect(await target.query('SELECT * FROM item WHERE id IN (1, 101) ORDER BY id')).toEqual([
      { id: 1, name: 'in the transaction', price: 1 },
      { id: 101, name: 'after', price: null },
    ]);
  });
});

describe('a DDL that waited for the rows of a new table, and that the target refuses', () => {
  it('stops the task like every other, and is decided on', async () => {
    await begin();
    // By hand: what the foreign key of the source does not hold for.
    await target.query("INSERT INTO item VALUES (99, 'by hand', 99)");
    const session = await source.connect();
    const statement = 'ALTER TABLE item ADD CONSTRAINT item_price FOREIGN KEY (price) REFERENCES price';
    await session.query('CREATE TABLE price AS SELECT g AS price FROM generate_series(1, 20) g');
    await session.query(`BEGIN; ALTER TABLE price ADD PRIMARY KEY (price); ${statement}; COMMIT`);
    const failed = await untilFailed();
    expect(failed.error).toMatchObject({
      code: 'SLUICE-5013',
      evidence: { number: '2', tag: 'ALTER TABLE', identity: 'public.item', statement, sqlState: '23503' },
    });
    expect(await decide({ ...placeOf(failed), decision: 'replace', statement: `${statement} NOT VALID` })).toBe(200);
    await expectGoesOn();
    await waitFor(
      'the table to have joined',
      async () => (await target.query('SELECT FROM sluice.adoption')).length === 0,
    );
    await expectSameRows(source, target, { tables: ['public.price'] });
    expect(await target.query(`SELECT conname FROM pg_constraint WHERE contype = 'f'`)).toEqual([
      { conname: 'item_price' },
    ]);
  }, 120_000);
});

describe('a policy', () => {
  it('stops at its class and leaves out another', async () => {
    await begin({ index: 'skip', view: 'stop' });
    await source.query('CREATE INDEX item_price ON item (price)');
    await source.query('CREATE VIEW cheap AS SELECT id FROM item WHERE price < 5');
    const failed = await untilFailed();
    expect(failed.error).toMatchObject({ code: 'SLUICE-5014', evidence: { class: 'view', tag: 'CREATE VIEW' } });
    expect(await decide({ ...placeOf(failed), decision: 'skip' })).toBe(200);
    await expectGoesOn();
    expect(await target.query("SELECT relname FROM pg_class WHERE relname IN ('item_price', 'cheap')")).toEqual([]);
  });
});
