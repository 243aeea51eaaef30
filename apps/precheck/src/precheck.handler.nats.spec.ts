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
import { type PrecheckConfig } from './precheck.config.js';
import { PrecheckHandler } from './precheck.handler.js';

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
  const run = precheckRun();
  const handler = new PrecheckHandler(runtime(bus));
  const working = Promise.all([
    consumeRuns(bus, {
      stage: 'precheck',
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

function runtime(bus: Bus): RuntimeContext<PrecheckConfig> {
  const config = { SLUICE_BUS_KEY: BUS_KEY, SLUICE_PRECHECK_CHECK_TIMEOUT_MS: 30_000 };
  return { bus, config, service: 'precheck', worker: 'precheck-spec', log: QUIET } as RuntimeContext<PrecheckConfig>;
}

function precheckRun(): StageRunOf<'precheck'> {
  const taskId = randomUUID();
  const name = helperObjectName(taskId);
  return {
    version: 1,
    runId: randomUUID(),
    epoch: 1,
    stage: 'precheck',
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

describe('PrecheckHandler', () => {
  it('reports the result, passed or not, and no secret', async () => {
    await using source = await testDatabase({ schema: 'CREATE TABLE t (id int PRIMARY KEY)' });
    await using target = await testDatabase();
    const good = await eventsOfRun({ source: source.endpoint, target: target.endpoint });
    expect(good).toMatchObject([
      { outcome: 'started' },
      { outcome: 'succeeded', result: { stage: 'precheck', report: { passed: true } } },
    ]);
    await target.query('CREATE TABLE t (id int)');
    const bad = await eventsOfRun({ source: source.endpoint, target: target.endpoint });
    expect(bad.at(-1)).toMatchObject({ outcome: 'succeeded', result: { report: { passed: false } } });
    expect(JSON.stringify([good, bad])).not.toContain(source.endpoint.password.reveal());
  });
});
