import { expect, it } from '@jest/globals';
import { startRecording, takeRecorded, testDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ensureCheckpointTable } from './checkpoint.js';
import { TargetSession } from './target-session.js';

const SCHEMA =
  'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE k (k text PRIMARY KEY); INSERT INTO t VALUES (3);';

it.each([
  { statement: `INSERT INTO t VALUES (1, 'é'), (7, '€')`, where: 'insert on public.t ("id"=7)' },
  { statement: `UPDATE t SET v = 'é€'`, where: 'update on public.t ("id"=3)' },
  { statement: `INSERT INTO k VALUES ('é'), ('5 €')`, where: 'insert on public.k ("k"=5 €)' },
])('refuses a character that the target does not have, and says where: $statement', async ({ statement, where }) => {
  await using source = await testDatabase({ schema: SCHEMA });
  await using target = await testDatabase({ schema: SCHEMA, encoding: 'LATIN1' });
  const taskId = randomUUID();
  await ensureCheckpointTable(await target.connect());
  await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/0']);
  const recorder = await source.connect();
  await startRecording(recorder);
  await source.query(statement);
  const transactions = (await takeRecorded(recorder)).map(({ frames, ...transaction }) => ({
    ...transaction,
    runs: [{ buffer: frames, start: 0, end: frames.length }],
    sizeBytes: frames.length,
  }));
  const session = await TargetSession.open(target.endpoint, { taskId, conflictPolicy: 'overwrite' });
  await expect(session.applyTransactions(transactions)).rejects.toMatchObject({
    code: 'SLUICE-5003',
    detail: `${where}: character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"`,
  });
  await session.close();
  expect(await target.query('SELECT id, v FROM t')).toEqual([{ id: 3, v: null }]);
  expect(await target.query('SELECT FROM k')).toEqual([]);
});
