import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  CaptureRun,
  type DesiredState,
  type Progress,
  progressMessages,
  type StageRunOf,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { type Bus, connectBus, desiredStates, subscribe } from '@sluice/messaging';
import { createLogger } from '@sluice/telemetry';
import { testNats, waitFor } from '@sluice/testing';
import { stageReporter } from './stage-reporter.js';
import { watchDesired } from './watch-desired.js';

jest.setTimeout(60_000);

function captureRun(epoch: number): StageRunOf<'capture'> {
  const names = { name: 'spec', slotName: 's', publicationName: 's' };
  const task = {
    taskId: randomUUID(),
    syncType: 'full',
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: DEFAULT_USER_OPTIONS,
    ...names,
  };
  return CaptureRun.parse({ version: 1, runId: randomUUID(), epoch, stage: 'capture', task });
}

const order = (desired: DesiredState['desired'], epoch: number): DesiredState => ({ version: 1, desired, epoch });

let bus: Bus;
beforeAll(async () => {
  const { url } = await testNats();
  bus = await connectBus({ servers: url, name: 'spec', log: createLogger({ service: 'spec', level: 'silent' }) });
  await bus.ensureTopology();
});
afterAll(() => bus.close());

describe('watchDesired', () => {
  it('takes silence and orders of an older epoch as "run", and tells of newer ones', async () => {
    const run = captureRun(5);
    const { taskId } = run.task;
    const states = desiredStates(bus);
    await states.put(taskId, order('paused', 4));
    using watch = await watchDesired(bus, run, new AbortController().signal);
    expect(watch.current).toEqual(order('running', 5));
    const ending = watch.changed();
    await states.put(taskId, order('ending', 5));
    expect(await ending).toEqual(order('ending', 5));
    expect(watch.isSuperseded).toBe(false);
    const newer = watch.changed();
    await states.put(taskId, order('running', 6));
    await newer;
    expect(watch.isSuperseded).toBe(true);
  });

  it('ends with the run', async () => {
    const stop = new AbortController();
    using watch = await watchDesired(bus, captureRun(1), stop.signal);
    const change = watch.changed();
    stop.abort(new Error('lost'));
    await expect(change).rejects.toThrow('lost');
  });
});

describe('stageReporter', () => {
  it('sends the first and the newest of many live numbers', async () => {
    const run = captureRun(1);
    const numbers = (transactions: number): Progress => ({
      kind: 'capture',
      publishedLsn: '0/1',
      confirmedLsn: '0/1',
      retainedBytes: 0,
      transactionLsn: '0/1',
      sourceTime: null,
      readThrough: null,
      clockOffsetMs: null,
      slot: null,
      heartbeats: 0,
      transactions,
      changes: 0,
    });
    const seen: number[] = [];
    using _ = subscribe(bus, progressMessages, {
      params: { taskId: run.task.taskId },
      handle: ({ progress }) => void (progress.kind === 'capture' && seen.push(progress.transactions)),
    });
    const reporter = stageReporter(bus, { run, worker: 'spec' });
    for (let transactions = 0; transactions <= 50; transactions += 1) reporter.progress(numbers(transactions));
    await waitFor('the newest', () => seen.at(-1) === 50);
    expect(seen).toEqual([0, 50]);
  });
});
