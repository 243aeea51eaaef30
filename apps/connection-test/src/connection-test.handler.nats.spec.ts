import { describe, expect, it } from '@jest/globals';
import {
  helperObjectName,
  type StageEvent,
  stageEvents,
  type StageRunOf,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { type Bus, connectBus, consumeEvents, consumeRuns, publishRun, serveCredentials } from '@sluice/messaging';
import { type Endpoint } from '@sluice/postgres-client';
import { type RuntimeContext } from '@sluice/service-runtime';
import { createLogger } from '@sluice/telemetry';
import { testDatabase, testNats, waitFor } from '@sluice/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { ConnectionTestHandler } from './connection-test.handler.js';

const QUIET = createLogger({ service: 'spec', level: 'silent' });
const BUS_KEY = new Secret(randomBytes(32).toString('base64'));

/** Gives one run to a handler on a real bus and collects what it reports, until the end of the run. */
async function eventsOfRun(endpoints: { source: Endpoint; target: Endpoint }): Promise<StageEvent[]> {
  const bus = await connectBus({ servers: (await testNats()).url, name: 'spec', log: QUIET });
  const stop = new AbortController();
  const { signal } = stop;
  const events: StageEvent[] = [];
  await bus.ensureTopology();
  const plain = (endpoint: Endpoint): object => ({ ...endpoint, password: endpoint.password.reveal() });
  const lookup = async (): Promise<never> =>
    ({ source: plain(endpoints.source), target: plain(endpoints.target) }) as never;
  serveCredentials(bus, { busKey: BUS_KEY, lookup, signal });
  const run = connectionTestRun();
  const handler = new ConnectionTestHandler(runtime(bus));
  const working = Promise.all([
    consumeRuns(bus, {
      stage: 'connection-test',
      concurrency: 1,
      signal,
      handle: (each, context) => handler.handle(each, context),
    }),
    consumeEvents(bus, {
      subject: stageEvents,
      durableName: `spec-${run.runId}`,
      signal,
      handle: async (event) => void (event.runId === run.runId && events.push(event)),
    }),
  ]);
  try {
    await publishRun(bus, run);
    await waitFor('the end of the run', () => events.some(({ outcome }) => outcome === 'succeeded'));
  } finally {
    stop.abort();
    await working;
    await bus.close();
  }
  return events;
}

function runtime(bus: Bus): RuntimeContext<ConnectionTestConfig> {
  const config = { SLUICE_BUS_KEY: BUS_KEY, SLUICE_CONNECTION_TEST_STEP_TIMEOUT_MS: 5_000 };
  return {
    bus,
    config,
    service: 'connection-test',
    worker: 'connection-test-spec',
    log: QUIET,
  } as RuntimeContext<ConnectionTestConfig>;
}

function connectionTestRun(): StageRunOf<'connection-test'> {
  const taskId = randomUUID();
  const name = helperObjectName(taskId);
  return {
    version: 1,
    runId: randomUUID(),
    epoch: 1,
    stage: 'connection-test',
    task: {
      taskId,
      name: 'spec-task',
      syncType: 'full_and_incremental',
      slotName: name,
      publicationName: name,
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      objects: EVERYTHING,
      ddlDecisions: [],
      users: DEFAULT_USER_OPTIONS,
    },
  };
}

describe('ConnectionTestHandler', () => {
  it('reports the result, passed or not, and no secret', async () => {
    await using source = await testDatabase();
    await using target = await testDatabase();
    const good = await eventsOfRun({ source: source.endpoint, target: target.endpoint });
    expect(good).toMatchObject([
      { outcome: 'started' },
      { outcome: 'succeeded', result: { stage: 'connection-test', report: { passed: true } } },
    ]);
    const wrong = { ...target.endpoint, password: new Secret('wrong-one') };
    const bad = await eventsOfRun({ source: source.endpoint, target: wrong });
    expect(bad.map(({ outcome }) => outcome)).toEqual(['started', 'succeeded']);
    expect(bad.at(-1)).toMatchObject({ outcome: 'succeeded', result: { report: { passed: false } } });
    expect(JSON.stringify([good, bad])).not.toContain(source.endpoint.password.reveal());
  });
});
