import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  helperObjectName,
  type StageRunOf,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { type Bus, connectBus, consumeRuns } from '@sluice/messaging';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import {
  finishLoad,
  markLoaded,
  openLedger,
  readOpenSteps,
  recordStepError,
  recordStructure,
  runBuildStep,
} from '@sluice/postgres-snapshot';
import { createLogger } from '@sluice/telemetry';
import { testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { UnfinishedLoad } from './finish-load.js';

const JOIN_LSN = parseLsn('0/10');
const log = createLogger({ service: 'spec', level: 'silent' });

let target: TestDatabase;
let session: Client;
let bus: Bus;
let run: StageRunOf<'apply'>;
let stepId: string;
let appliedLsn: Lsn;
let failures: number;
let orders: StageRunOf<'finish-load'>[];
let stopConsuming: () => Promise<void>;

beforeEach(async () => {
  const nats = await testNats();
  bus = await connectBus({ servers: nats.url, name: 'spec', log });
  await bus.ensureTopology();
  target = await testDatabase();
  session = await target.connect();
  const taskId = randomUUID();
  const name = helperObjectName(taskId);
  const names = { slotName: name, publicationName: name };
  run = {
    version: 1,
    runId: randomUUID(),
    epoch: 7,
    stage: 'apply',
    task: {
      taskId,
      name: 'spec',
      syncType: 'full_and_incremental',
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      objects: EVERYTHING,
      ddlDecisions: [],
      users: DEFAULT_USER_OPTIONS,
      ...names,
    },
  };
  [appliedLsn, failures, orders] = [parseLsn('0/9'), 0, []];
  await openLedger(session, taskId);
  const steps = [{ group: 1, identity: 'foreign key', sql: 'SELECT 1', awaitsJoin: true }];
  await recordStructure(session, taskId, { createStructure: () => Promise.resolve(), steps });
  await session.query(
    `INSERT INTO sluice.table_load SELECT $1, 's', name, 1, lsn::pg_lsn, true
     FROM (VALUES ('a', '0/5'), ('b', '0/10')) AS t(name, lsn)`,
    [taskId],
  );
  await markLoaded(session, taskId);
  stepId = present((await readOpenSteps(session, taskId, 1))[0], 'step');
  const stop = new AbortController();
  const consuming = consumeRuns(bus, {
    stage: 'finish-load',
    concurrency: 1,
    handle: (order) => Promise.resolve(void (order.task.taskId === taskId && orders.push(order))),
    signal: stop.signal,
    log,
  });
  stopConsuming = async () => {
    stop.abort();
    await consuming;
  };
});

afterEach(async () => {
  await stopConsuming();
  await bus.close();
  await target[Symbol.asyncDispose]();
});

function openUnfinished(): Promise<UnfinishedLoad | null> {
  return UnfinishedLoad.open(target.endpoint, {
    run,
    bus,
    log,
    appliedLsn: () => appliedLsn,
    onFailure: () => {
      failures += 1;
    },
  });
}

async function finish(): Promise<void> {
  await runBuildStep(session, stepId);
  await finishLoad(session, run.task.taskId);
}

describe('what a load left open', () => {
  it('is ordered once when all tables are of one moment, and lets the task end when it is built', async () => {
    await using unfinished = present(await openUnfinished(), 'unfinished load');
    expect(unfinished.verdict('stopped')).toBeNull();
    expect(orders).toEqual([]);
    appliedLsn = JOIN_LSN;
    await waitFor('the order', () => orders.length > 0);
    expect(orders[0]).toMatchObject({ stage: 'finish-load', epoch: 7 });
    let isOver = false;
    const over = unfinished.untilFinished(new AbortController().signal).then(() => {
      isOver = true;
    });
    await runBuildStep(session, stepId);
    expect(isOver).toBe(false);
    await finishLoad(session, run.task.taskId);
    await over;
    expect(unfinished.verdict('final')).toBeNull();
    expect(orders).toHaveLength(1);
    expect(await openUnfinished()).toBeNull();
  });

  it('ends the changes with the error of the step that failed in this epoch', async () => {
    const error = { code: 'SLUICE-3006', detail: 'foreign key', remedy: 'look' };
    await recordStepError(session, { stepId, taskId: run.task.taskId }, { ...error, epoch: 6 });
    await using unfinished = present(await openUnfinished(), 'unfinished load');
    expect(unfinished.verdict('stopped')).toBeNull();
    await recordStepError(session, { stepId, taskId: run.task.taskId }, { ...error, epoch: 7 });
    await waitFor('the failure', () => failures === 1);
    expect(unfinished.verdict('stopped')).toMatchObject({ code: 'SLUICE-3006', detail: 'foreign key' });
  });

  it('refuses an end before all tables are of one moment', async () => {
    await using unfinished = present(await openUnfinished(), 'unfinished load');
    await unfinished.untilFinished(new AbortController().signal);
    expect(unfinished.verdict('final')).toMatchObject({
      code: 'SLUICE-5012',
      detail: expect.stringContaining('0/10'),
    });
  });

  it('is not waited for any longer when the run is stopped', async () => {
    appliedLsn = JOIN_LSN;
    await using unfinished = present(await openUnfinished(), 'unfinished load');
    const stop = new AbortController();
    const over = unfinished.untilFinished(stop.signal);
    stop.abort();
    await over;
    await finish();
  });

  it('is looked for again when the connection is lost', async () => {
    await using unfinished = present(await openUnfinished(), 'unfinished load');
    await target.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%finish-load%' AND datname = current_database()`,
    );
    await waitFor('the failure', () => failures === 1);
    expect(() => unfinished.verdict('stopped')).toThrow(expect.objectContaining({ code: 'SLUICE-1012' }));
  });

  it('is nothing where no load was kept book of', async () => {
    await target.query('DROP SCHEMA sluice CASCADE');
    expect(await openUnfinished()).toBeNull();
  });
});
