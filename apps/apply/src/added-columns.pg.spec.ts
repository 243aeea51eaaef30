import { expect, it } from '@jest/globals';
import { expectSameRows, startRecording, takeRecorded, testDatabase } from '@sluice/testing';
import { ZERO_LSN } from '@sluice/model';
import { ensureCheckpointTable, type SourceTransaction, TargetSession } from '@sluice/postgres-writer';
import { randomUUID } from 'node:crypto';
import { addedColumnsOf } from './added-columns.js';

const SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'one'), (2, 'two')";
const CAPTURE = { helperName: 'sluice_none', publicationName: 'recorded' };

it.each([
  { name: 'plain', statement: 'ALTER TABLE t ADD COLUMN n numeric(10,2)', isAdded: true },
  { name: 'with a constant default', statement: `ALTER TABLE t ADD COLUMN "N n" text DEFAULT $$it's$$`, isAdded: true },
  {
    name: 'with another default since',
    statement: `ALTER TABLE t ADD COLUMN d date DEFAULT '2020-01-02'; ALTER TABLE t ALTER COLUMN d SET DEFAULT '2021-01-01'`,
    isAdded: true,
  },
  { name: 'with a volatile default', statement: 'ALTER TABLE t ADD COLUMN r float8 DEFAULT random()', isAdded: false },
])('a column that only a description tells of is followed: $name', async ({ statement, isAdded }) => {
  await using source = await testDatabase({ schema: SCHEMA });
  await using target = await testDatabase({ schema: SCHEMA });
  const taskId = randomUUID();
  const recorder = await source.connect();
  await startRecording(recorder);
  await ensureCheckpointTable(await target.connect());
  await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/0']);
  const ddl = {
    helperName: CAPTURE.helperName,
    policies: {},
    decisions: [],
    addedColumns: addedColumnsOf(source.endpoint, CAPTURE),
    signing: () => Promise.resolve({ signing: null, throughLsn: ZERO_LSN }),
    onForged: () => undefined,
    onExecuted: () => undefined,
  };
  const session = await TargetSession.open(target.endpoint, { taskId, ddl });
  await recorder.query("INSERT INTO t VALUES (3, 'three')");
  await recorder.query(statement);
  await recorder.query("INSERT INTO t VALUES (4, 'four')");
  await recorder.query("UPDATE t SET v = 'x' WHERE id = 1");
  const transactions = (await takeRecorded(recorder)).map(({ frames, ...transaction }): SourceTransaction => ({
    ...transaction,
    runs: [{ buffer: frames, start: 0, end: frames.length }],
    sizeBytes: frames.length,
  }));
  const applied = session.applyTransactions(transactions);
  if (isAdded) {
    await applied;
    await expectSameRows(source, target);
  } else await expect(applied).rejects.toMatchObject({ code: 'SLUICE-5006' });
  await session.close();
});
