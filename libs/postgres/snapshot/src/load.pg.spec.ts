import { beforeEach, describe, expect, it } from '@jest/globals';
import { helperObjectName } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { formatLsn, parseLsn } from '@sluice/model';
import { readTables, readVersionNum } from '@sluice/postgres-catalog';
import { connect } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import {
  beginUnderSnapshot,
  copyChunk,
  dropPublication,
  dropSlot,
  dropTaskBookkeeping,
  ensurePublication,
  finishLoad,
  forgetSnapshot,
  holdPlainSnapshot,
  holdSlotSnapshot,
  isFinisherAtWork,
  isOneMoment,
  isSnapshotAlive,
  markLoaded,
  openLedger,
  planChunks,
  readBuildProgress,
  readCopyProgress,
  readLoad,
  readOpenChunks,
  readOpenJoin,
  readOpenSteps,
  readTableLoads,
  recordSnapshot,
  recordStructure,
  runBuildStep,
  settleTables,
  slotExists,
  startTables,
  tryLockFinisher,
  tryLockHolder,
  withdrawChunks,
} from './index.js';

let taskId = '';
let slotName = '';
beforeEach(() => {
  taskId = randomUUID();
  slotName = helperObjectName(taskId);
});

const permanent = () => ({ slotName, isTemporary: false, lockTimeoutMs: 10_000 });

async function schemaExists(database: TestDatabase): Promise<boolean> {
  return (await database.query("SELECT FROM pg_namespace WHERE nspname = 'sluice'")).length > 0;
}

describe('the ledger', () => {
  it('is made once by many at the same time, and goes with its last task', async () => {
    await using target = await testDatabase();
    const tasks = Array.from({ length: 4 }, () => randomUUID());
    await Promise.all(tasks.map(async (id) => openLedger(await target.connect(), id)));
    const session = await target.connect();
    await openLedger(session, present(tasks[0], 'task'));
    for (const id of tasks.slice(1)) await dropTaskBookkeeping(session, id);
    expect(await schemaExists(target)).toBe(true);
    await dropTaskBookkeeping(session, present(tasks[0], 'task'));
    expect(await schemaExists(target)).toBe(false);
    await dropTaskBookkeeping(session, present(tasks[0], 'task'));
    expect(await readLoad(session, taskId)).toBeNull();
  });

  it('leaves a schema alone that somebody else uses', async () => {
    await using target = await testDatabase({ schema: 'CREATE SCHEMA sluice; CREATE TABLE sluice.mine (a int)' });
    const session = await target.connect();
    await openLedger(session, taskId);
    await dropTaskBookkeeping(session, taskId);
    expect(await target.query("SELECT to_regclass('sluice.mine')::text AS name")).toEqual([{ name: 'sluice.mine' }]);
  });

  it('writes the checkpoint once, at the first snapshot', async () => {
    await using target = await testDatabase();
    const session = await target.connect();
    await openLedger(session, taskId);
    await session.query("UPDATE sluice.load SET slot_lsn = '0/10', consistent_lsn = '0/20', generation = 2");
    await markLoaded(session, taskId);
    await session.query("UPDATE sluice.checkpoint SET lsn = '0/30', epoch = 3");
    await markLoaded(session, taskId);
    expect(await target.query('SELECT lsn::text, epoch::int FROM sluice.checkpoint')).toEqual([
      { lsn: '0/30', epoch: 3 },
    ]);
    expect((await readLoad(session, taskId))?.isFinished).toBe(true);
  });

  it('executes each build step once, group by group', async () => {
    await using target = await testDatabase({ schema: 'CREATE TABLE t (a int)' });
    const session = await target.connect();
    await openLedger(session, taskId);
    await recordStructure(session, taskId, {
      createStructure: async () => void (await session.query('CREATE TABLE u (a int)')),
      steps: [
        { group: 2, identity: 'late', sql: 'INSERT INTO t VALUES (2); INSERT INTO u VALUES (2)', awaitsJoin: false },
        { group: 1, identity: 'early', sql: 'INSERT INTO t VALUES (1)', awaitsJoin: false },
        { group: 2, identity: 'broken', sql: 'INSERT INTO nowhere VALUES (1)', awaitsJoin: false },
      ],
    });
    const again = { createStructure: () => Promise.reject(new Error('created twice')), steps: [] };
    await recordStructure(session, taskId, again);
    const [early = ''] = await readOpenSteps(session, taskId, 1);
    expect((await readBuildProgress(session, taskId, 0)).openGroup).toBe(1);
    expect(await runBuildStep(session, early)).toBe(true);
    expect(await runBuildStep(session, early)).toBe(false);
    const [late = '', broken = ''] = await readOpenSteps(session, taskId, 2);
    expect((await readBuildProgress(session, taskId, 0)).openGroup).toBe(2);
    expect(await runBuildStep(session, late)).toBe(true);
    await expect(runBuildStep(session, broken)).rejects.toMatchObject({
      code: 'SLUICE-3006',
      detail: expect.stringContaining('broken'),
    });
    expect(await readBuildProgress(session, taskId, 0)).toMatchObject({ stepsTotal: 3, stepsDone: 2 });
    expect(await target.query('SELECT a FROM t ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

describe('a load whose tables are not of one moment', () => {
  it('knows from where on they are, and what waits for it', async () => {
    await using target = await testDatabase();
    const session = await target.connect();
    await openLedger(session, taskId);
    const steps = [
      { group: 1, identity: 'index', sql: 'SELECT 1', awaitsJoin: false },
      { group: 2, identity: 'key', sql: 'SELECT 1', awaitsJoin: true },
      { group: 3, identity: 'statistics', sql: 'SELECT 1', awaitsJoin: false },
    ];
    await recordStructure(session, taskId, { createStructure: () => Promise.resolve(), steps });
    await target.query(
      `INSERT INTO sluice.table_load SELECT $1, 's', name, 1, lsn::pg_lsn, true
       FROM (VALUES ('a', '0/10'), ('b', '0/9')) AS t(name, lsn)`,
      [taskId],
    );
    expect(await isOneMoment(session, taskId)).toBe(false);
    for (const group of [1, 3]) {
      expect((await readBuildProgress(session, taskId, 0)).openGroupBeforeJoin).toBe(group);
      for (const step of await readOpenSteps(session, taskId, group)) await runBuildStep(session, step);
    }
    expect(await readBuildProgress(session, taskId, 0)).toMatchObject({ openGroup: 2, openGroupBeforeJoin: null });
    await markLoaded(session, taskId);
    await finishLoad(session, taskId);
    expect(await readOpenJoin(session, taskId, 0)).toEqual({ joinLsn: parseLsn('0/10'), error: null });
    for (const step of await readOpenSteps(session, taskId, 2)) await runBuildStep(session, step);
    await finishLoad(session, taskId);
    expect(await readOpenJoin(session, taskId, 0)).toBeNull();
  });

  it('builds beside a writer without making it wait for long', async () => {
    await using target = await testDatabase({ schema: 'CREATE TABLE t (a int)' });
    const [session, writer] = [await target.connect(), await target.connect()];
    await openLedger(session, taskId);
    const step = { group: 1, identity: 'lock', sql: 'LOCK t IN SHARE ROW EXCLUSIVE MODE', awaitsJoin: true };
    await recordStructure(session, taskId, { createStructure: () => Promise.resolve(), steps: [step] });
    await markLoaded(session, taskId);
    const [stepId = ''] = await readOpenSteps(session, taskId, 1);
    await writer.query('BEGIN; INSERT INTO t VALUES (1)');
    await expect(runBuildStep(session, stepId)).rejects.toMatchObject({ code: 'SLUICE-5011' });
    await writer.query('COMMIT');
    expect(await runBuildStep(session, stepId)).toBe(true);
  });

  it('has one that finishes it', async () => {
    await using target = await testDatabase();
    const [first, second] = [await target.connect(), await target.connect()];
    expect(await isFinisherAtWork(second, taskId)).toBe(false);
    expect(await tryLockFinisher(first, taskId)).toBe(true);
    expect(await isFinisherAtWork(second, taskId)).toBe(true);
    expect(await tryLockFinisher(second, taskId)).toBe(false);
  });
});

describe('the snapshot of a slot', () => {
  it('sees what committed before the slot and nothing later, as long as it is held', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE t (a int); INSERT INTO t VALUES (1)' });
    const session = await source.connect();
    const held = await holdSlotSnapshot(source.endpoint, session, permanent());
    await source.query('INSERT INTO t VALUES (2)');
    await beginUnderSnapshot(session, held);
    expect((await session.query('SELECT a FROM t')).rows).toEqual([{ a: 1 }]);
    await session.query('ROLLBACK');
    expect(await isSnapshotAlive(session, held)).toBe(true);
    await held[Symbol.asyncDispose]();
    await held.lost;
    // The server says goodbye a moment before it forgets the snapshot.
    await waitFor('the snapshot to go', async () => !(await isSnapshotAlive(session, held)));
    expect(await slotExists(session, slotName)).toBe(true);
    await dropSlot(session, slotName);
    await dropSlot(session, slotName);
    expect(await slotExists(session, slotName)).toBe(false);
  });

  it('says so when its connection is ended', async () => {
    await using source = await testDatabase();
    const session = await source.connect();
    await using held = await holdSlotSnapshot(source.endpoint, session, permanent());
    await session.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND datname = current_database()`,
    );
    await held.lost;
    // The server says goodbye a moment before it forgets the snapshot.
    await waitFor('the snapshot to go', async () => !(await isSnapshotAlive(session, held)));
  });

  it('replaces the slot that a killed run left', async () => {
    await using source = await testDatabase();
    const session = await source.connect();
    const first = await holdSlotSnapshot(source.endpoint, session, permanent());
    await using second = await holdSlotSnapshot(source.endpoint, session, permanent());
    expect(formatLsn(present(second.consistentLsn, 'LSN'))).not.toBe(formatLsn(present(first.consistentLsn, 'LSN')));
    await first[Symbol.asyncDispose]();
  });

  it('names the transactions that keep the slot from being made', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE t (a int)' });
    const [session, writer] = [await source.connect(), await source.connect()];
    await writer.query('BEGIN; INSERT INTO t VALUES (1)');
    const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const making = holdSlotSnapshot(source.endpoint, session, { ...permanent(), lockTimeoutMs: 300 });
    await expect(making).rejects.toMatchObject({
      code: 'SLUICE-3005',
      detail: expect.stringContaining(`pid ${rows[0]?.pid}`),
    });
    await writer.query('COMMIT');
    await using held = await holdSlotSnapshot(source.endpoint, session, permanent());
    expect(await isSnapshotAlive(session, held)).toBe(true);
  });

  it('is held by one session only', async () => {
    await using target = await testDatabase();
    const [first, second] = [await target.connect(), await target.connect()];
    expect(await tryLockHolder(first, taskId)).toBe(true);
    expect(await tryLockHolder(second, taskId)).toBe(false);
    await first.end();
    await expect(tryLockHolder(second, taskId)).resolves.toBe(true);
  });
});

describe('a new generation', () => {
  const SCHEMA = 'CREATE TABLE done (a int); CREATE TABLE half (a int)';

  it('restarts the unfinished tables only, under the new snapshot', async () => {
    await using source = await testDatabase({
      schema: `${SCHEMA}; INSERT INTO done VALUES (1); INSERT INTO half VALUES (1)`,
    });
    await using target = await testDatabase({ schema: SCHEMA });
    const [reader, writer] = [await source.connect(), await target.connect()];
    await openLedger(writer, taskId);
    const start = async (generation: number): Promise<string[]> => {
      const load = present(await readLoad(writer, taskId), 'load');
      const finished = (await readTableLoads(writer, taskId)).filter(({ done }) => done);
      const open = (await readTables(reader)).filter(({ name }) => !finished.some((table) => table.name === name));
      const sourceVersionNum = await readVersionNum(reader);
      await startTables(
        writer,
        { taskId, generation, startLsn: load.consistentLsn },
        open.map((table) => ({
          schema: table.schema,
          name: table.name,
          chunks: planChunks(table, { sourceVersionNum, chunkBytes: 1e6, onTarget: undefined }),
        })),
      );
      return readOpenChunks(writer, taskId);
    };
    const copy = async (chunkId: string): Promise<void> => {
      await using from = await connect(source.endpoint, { applicationName: 'copy' });
      await using to = await connect(target.endpoint, { applicationName: 'copy' });
      await copyChunk({ source: from, target: to }, { chunkId });
    };

    const first = await holdSlotSnapshot(source.endpoint, reader, permanent());
    expect(await recordSnapshot(writer, taskId, { ...first, generation: 1 })).toBe(true);
    const chunks = await start(1);
    const ofDone = await target.query<{ id: string }>(
      "SELECT chunk_id::text AS id FROM sluice.chunk WHERE table_name = 'done'",
    );
    await copy(present(ofDone[0], 'chunk').id);
    expect(await settleTables(writer, taskId)).toBe(1);
    await first[Symbol.asyncDispose]();
    await source.query('INSERT INTO done VALUES (2); INSERT INTO half VALUES (2)');

    await using second = await holdSlotSnapshot(source.endpoint, reader, {
      ...permanent(),
      slotName: `${slotName}_g2`,
      isTemporary: true,
    });
    expect(await recordSnapshot(writer, taskId, { ...second, generation: 2 })).toBe(true);
    expect(await recordSnapshot(writer, taskId, { ...second, generation: 2 })).toBe(false);
    const again = await start(2);
    expect(again).toHaveLength(1);
    // A second coordinator at the same point changes nothing.
    expect(await start(2)).toEqual(again);
    await expect(start(1)).rejects.toMatchObject({ code: 'SLUICE-3003' });
    expect(chunks).not.toContain(again[0]);
    for (const chunkId of [...chunks, ...again]) await copy(chunkId);
    expect(await settleTables(writer, taskId)).toBe(0);
    expect(
      await target.query('SELECT table_name, generation, start_lsn::text AS lsn FROM sluice.table_load ORDER BY 1'),
    ).toEqual([
      { table_name: 'done', generation: 1, lsn: formatLsn(present(first.consistentLsn, 'LSN')) },
      { table_name: 'half', generation: 2, lsn: formatLsn(present(second.consistentLsn, 'LSN')) },
    ]);
    expect(await target.query('SELECT a FROM done')).toEqual([{ a: 1 }]);
    expect(await target.query('SELECT a FROM half ORDER BY a')).toEqual([{ a: 1 }, { a: 2 }]);
    expect((await readLoad(writer, taskId))?.slotLsn).toBe(first.consistentLsn);
    expect(await readCopyProgress(writer, taskId, 0)).toMatchObject({ tablesDone: 2, rows: 3, error: null });
  });

  it('lets the work items of a paused load end without doing anything', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE half (a int); INSERT INTO half VALUES (1)' });
    await using target = await testDatabase({ schema: 'CREATE TABLE half (a int)' });
    const [reader, writer] = [await source.connect(), await target.connect()];
    await openLedger(writer, taskId);
    await using held = await holdPlainSnapshot(source.endpoint, await source.connect());
    await recordSnapshot(writer, taskId, { ...held, generation: 1 });
    const [table] = await readTables(reader);
    const chunks = planChunks(present(table, 'table'), {
      sourceVersionNum: 150_000,
      chunkBytes: 1e6,
      onTarget: undefined,
    });
    await startTables(writer, { taskId, generation: 1, startLsn: null }, [{ schema: 'public', name: 'half', chunks }]);
    await forgetSnapshot(writer, taskId);
    await withdrawChunks(writer, taskId);
    const sessions = { source: reader, target: writer };
    expect(await copyChunk(sessions, { chunkId: present(chunks[0], 'chunk').chunkId })).toEqual({
      kind: 'nothing-to-do',
    });
    expect(await settleTables(writer, taskId)).toBe(1);
  });
});

describe('the publication', () => {
  it.each([10, 12, 15, 18] as const)('lists tables and partitions, not unlogged ones, on %i', async (major) => {
    await using source = await testDatabase({
      major,
      schema: `CREATE TABLE a (i int); CREATE UNLOGGED TABLE u (i int); CREATE TABLE p (i int) PARTITION BY LIST (i);
               CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE "odd ""name" (i int)`,
    });
    const session = await source.connect();
    const facts = { tables: await readTables(session), versionNum: await readVersionNum(session) };
    await ensurePublication(session, slotName, facts);
    await ensurePublication(session, slotName, facts);
    const listed = await source.query(
      'SELECT tablename::text AS name FROM pg_publication_tables WHERE pubname = $1 ORDER BY 1',
      [slotName],
    );
    expect(listed).toEqual([{ name: 'a' }, { name: 'odd "name' }, { name: 'p1' }]);
    await dropPublication(session, slotName);
    await dropPublication(session, slotName);
  });

  it('may be empty', async () => {
    await using source = await testDatabase();
    const session = await source.connect();
    await ensurePublication(session, slotName, { tables: [], versionNum: 150_000 });
    expect(await source.query('SELECT pubname FROM pg_publication')).toEqual([{ pubname: slotName }]);
  });
});
