import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { deferred } from '@sluice/kernel';
import { dedicatedNats, faultProxy, testNats, waitFor } from '@sluice/testing';
import { RUNS_STREAM } from '@sluice/contracts';
import { type Bus } from './bus.js';
import { publishRun } from './publish.js';
import { RunLostError } from './run-lease.js';
import { consumeRuns, type RunContext } from './runs.js';
import { specBus, specRun } from './spec-builders.js';

jest.setTimeout(60_000);

/** Resolves never; rejects when the context is aborted, as a good handler does. */
function untilAborted(context: RunContext): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(context.signal.reason);
    if (context.signal.aborted) onAbort();
    context.signal.addEventListener('abort', onAbort, { once: true });
  });
}

async function runsStored(bus: Bus): Promise<number> {
  return (await bus.manager.streams.info(RUNS_STREAM.name)).state.messages;
}

describe('consumeRuns', () => {
  let bus: Bus;
  beforeAll(async () => {
    bus = await specBus((await testNats()).url);
  });
  afterAll(() => bus.close());

  it('hands a run to one worker of its stage and removes it when that is done', async () => {
    const stop = new AbortController();
    const run = specRun('precheck');
    const seen: RunContext[] = [];
    const worker = consumeRuns(bus, {
      stage: 'precheck',
      concurrency: 2,
      signal: stop.signal,
      handle: async (_, context) => void seen.push(context),
    });
    await publishRun(bus, run);
    await publishRun(bus, run); // same message id: not stored again
    await waitFor('the run is gone', async () => seen.length > 0 && (await runsStored(bus)) === 0);
    stop.abort();
    await worker;
    expect(seen.map(({ runId, epoch, redelivered }) => ({ runId, epoch, redelivered }))).toEqual([
      { runId: run.runId, epoch: 1, redelivered: false },
    ]);
  });

  it('gives a run back at once when the process stops', async () => {
    const stop = new AbortController();
    const begun = deferred();
    const first = consumeRuns(bus, {
      stage: 'capture',
      concurrency: 1,
      signal: stop.signal,
      handle: (_, context) => {
        begun.resolve();
        return untilAborted(context);
      },
    });
    await publishRun(bus, specRun('capture'));
    await begun.promise;
    const stoppedAt = performance.now();
    stop.abort();
    await first;

    const stopSecond = new AbortController();
    const again = deferred<boolean>();
    const second = consumeRuns(bus, {
      stage: 'capture',
      concurrency: 1,
      signal: stopSecond.signal,
      handle: async (_, { redelivered }) => again.resolve(redelivered),
    });
    expect(await again.promise).toBe(true);
    expect(performance.now() - stoppedAt).toBeLessThan(2_000);
    await waitFor('the run is gone', async () => (await runsStored(bus)) === 0);
    stopSecond.abort();
    await second;
  });

  it('keeps a run that takes longer than the ack wait, and gives a failed one again after its delay', async () => {
    const stop = new AbortController();
    const deliveries: boolean[] = [];
    const worker = consumeRuns(bus, {
      stage: 'apply',
      concurrency: 4,
      signal: stop.signal,
      handle: async (_, context) => {
        deliveries.push(context.redelivered);
        if (!context.redelivered) {
          await new Promise((resolve) => setTimeout(resolve, 8_000));
          context.nakDelay(50);
          throw new Error('not yet');
        }
      },
    });
    await publishRun(bus, specRun('apply'));
    await waitFor('the run is gone', async () => deliveries.length > 0 && (await runsStored(bus)) === 0);
    stop.abort();
    await worker;
    expect(deliveries).toEqual([false, true]);
  });

  it('removes what is not a run', async () => {
    const stop = new AbortController();
    const worker = consumeRuns(bus, {
      stage: 'cleanup',
      concurrency: 1,
      signal: stop.signal,
      handle: () => Promise.reject(new Error('must not be called')),
    });
    await bus.jetstream.publish('sluice.v1.run.cleanup.x', '{"version": 1}');
    await waitFor('the message is gone', async () => (await runsStored(bus)) === 0);
    stop.abort();
    await worker;
  });

  it('tells a worker that is cut off that its run is lost, and another one gets it', async () => {
    const server = await testNats();
    await using proxy = await faultProxy({ target: { host: server.host, port: server.port } });
    await using cutOff = await specBus(`nats://127.0.0.1:${proxy.port}`);
    const stop = new AbortController();
    const begun = deferred();
    const lost = deferred<unknown>();
    const first = consumeRuns(cutOff, {
      stage: 'full-load',
      concurrency: 1,
      signal: stop.signal,
      handle: (_, context) => {
        begun.resolve();
        context.signal.addEventListener('abort', () => lost.resolve(context.signal.reason));
        return untilAborted(context);
      },
    });
    await publishRun(bus, specRun('full-load'));
    await begun.promise;
    const again = deferred<boolean>();
    const stopSecond = new AbortController();
    const second = consumeRuns(bus, {
      stage: 'full-load',
      concurrency: 1,
      signal: stopSecond.signal,
      handle: async (_, { redelivered }) => again.resolve(redelivered),
    });
    proxy.halfOpen();
    expect(await lost.promise).toBeInstanceOf(RunLostError);
    expect(await again.promise).toBe(true);
    stop.abort();
    stopSecond.abort();
    await Promise.all([first, second]);
  });
});

describe('a bus that is restarted', () => {
  it('keeps its runs when its data is kept', async () => {
    await using server = await dedicatedNats();
    await using bus = await specBus(server.url);
    const stop = new AbortController();
    const handled = deferred<string>();
    const worker = consumeRuns(bus, {
      stage: 'precheck',
      concurrency: 1,
      signal: stop.signal,
      handle: async ({ runId }) => handled.resolve(runId),
    });
    await server.kill9();
    await server.restart();
    const run = specRun('precheck');
    await publishRun(bus, run);
    expect(await handled.promise).toBe(run.runId);
    stop.abort();
    await worker;
  });

  it('takes runs away and gets new ones when its data is wiped', async () => {
    await using server = await dedicatedNats();
    await using bus = await specBus(server.url);
    const stop = new AbortController();
    const begun = deferred();
    const lost = deferred<unknown>();
    const again = deferred<string>();
    const first = specRun('capture');
    const worker = consumeRuns(bus, {
      stage: 'capture',
      concurrency: 2,
      signal: stop.signal,
      handle: async ({ runId }, context) => {
        if (runId !== first.runId) return again.resolve(runId);
        begun.resolve();
        context.signal.addEventListener('abort', () => lost.resolve(context.signal.reason));
        return untilAborted(context);
      },
    });
    await publishRun(bus, first);
    await begun.promise;
    const second = specRun('capture');
    bus.onTopologyLost(() => void publishRun(bus, second));
    await server.kill9();
    await server.restart({ wipe: true });
    expect(await lost.promise).toBeInstanceOf(RunLostError);
    expect(await again.promise).toBe(second.runId);
    stop.abort();
    await worker;
  });
});
