import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import {
  CaptureRun,
  type StageEvent,
  stageEvents,
  type StageRunOf,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { freePort } from '@sluice/embedded';
import { type Bus, connectBus, consumeEvents, publishRun } from '@sluice/messaging';
import { createLogger } from '@sluice/telemetry';
import { dedicatedNats, testNats, waitFor } from '@sluice/testing';

jest.setTimeout(60_000);

const ROOT = path.resolve(import.meta.dirname, '../../..');
const MAIN = path.join(ROOT, 'libs/service-runtime/dist/tiny-service/main.js');
const PROJECTS = ['kernel', 'contracts', 'telemetry', 'messaging', 'service-runtime'].map((name) => `libs/${name}`);

interface LogLine {
  readonly msg: string;
  readonly level: string;
  readonly port?: number;
}

/** A service as a process of its own, with what it logs. */
class TinyService implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  constructor(environment: Record<string, string>) {
    this.#process = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'], SLUICE_BUS_KEY: randomBytes(32).toString('base64'), ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#process, 'exit');
    if (this.#process.stdout)
      createInterface(this.#process.stdout).on('line', (line) => this.lines.push(JSON.parse(line)));
  }

  logged(message: string): Promise<LogLine> {
    return waitFor(`log line "${message}"`, () => this.lines.find(({ msg }) => msg.includes(message)));
  }

  /** Exit code and signal, and how long it took from the call on. */
  async end(signal?: NodeJS.Signals): Promise<{ code: unknown; signal: unknown; tookMs: number }> {
    const begin = performance.now();
    if (signal) this.#process.kill(signal);
    const [code, endedBy] = await this.#exited;
    return { code, signal: endedBy, tookMs: performance.now() - begin };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

function captureRun(): StageRunOf<'capture'> {
  const task = {
    taskId: randomUUID(),
    name: 'spec',
    syncType: 'full',
    slotName: 's',
    publicationName: 's',
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: DEFAULT_USER_OPTIONS,
  };
  return CaptureRun.parse({ version: 1, runId: randomUUID(), epoch: 1, stage: 'capture', task });
}

async function ready(port: number): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`);
  return { status: response.status, body: await response.json() };
}

beforeAll(async () => {
  const build = spawn(process.execPath, [path.join(ROOT, 'tools/build/build.mjs'), ...PROJECTS], { cwd: ROOT });
  const [code] = await once(build, 'exit');
  expect(code).toBe(0);
});

describe('runService', () => {
  let url: string;
  let bus: Bus;
  const events: StageEvent[] = [];
  const stop = new AbortController();
  let consuming: Promise<void>;
  beforeAll(async () => {
    ({ url } = await testNats());
    bus = await connectBus({ servers: url, name: 'spec', log: createLogger({ service: 'spec', level: 'silent' }) });
    consuming = consumeEvents(bus, {
      subject: stageEvents,
      durableName: 'spec',
      signal: stop.signal,
      handle: async (event) => void events.push(event),
    });
  });
  afterAll(async () => {
    stop.abort();
    await consuming;
    await bus.close();
  });

  it('answers health and its own routes, and exits 0 within 10 s although a run is under way, which is given back', async () => {
    await using service = new TinyService({ SLUICE_NATS_URL: url, SLUICE_WORKER_NAME: 'tiny-1' });
    const { port = 0 } = await service.logged('tiny is ready');
    expect(await ready(port)).toEqual({
      status: 200,
      body: { status: 'ready', dependencies: { nats: { ready: true } } },
    });
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_bus_connected\{service="tiny"\} [01]$/m);
    expect(await (await fetch(`http://127.0.0.1:${port}/hello`)).json()).toEqual({ worker: 'tiny-1' });

    for (const path of ['health/live', 'health/ready', 'metrics', 'hello']) {
      const { headers } = await fetch(`http://127.0.0.1:${port}/${path}`);
      expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual(['nosniff', 'no-store']);
    }

    const run = captureRun();
    await publishRun(bus, run);
    await waitFor('the run is under way', () =>
      events.some(({ runId, outcome }) => runId === run.runId && outcome === 'running'),
    );
    const { code, tookMs } = await service.end('SIGTERM');
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(5_000);

    await using successor = new TinyService({ SLUICE_NATS_URL: url });
    await waitFor('the successor runs it', () => events.filter(({ outcome }) => outcome === 'running').length === 2);
    expect((await successor.end('SIGINT')).code).toBe(0);
    expect(events.map(({ outcome }) => outcome)).toEqual(['started', 'running', 'started', 'running']);
  });

  it('says not ready while there is no bus, and stops all the same', async () => {
    await using server = await dedicatedNats();
    await server.stop();
    const port = await freePort();
    await using service = new TinyService({ SLUICE_NATS_URL: server.url, SLUICE_HTTP_PORT: String(port) });
    await service.logged('message bus not reachable yet');
    expect(await ready(port)).toMatchObject({
      status: 503,
      body: { dependencies: { nats: { ready: false } } },
    });
    await server.restart();
    await service.logged('tiny is ready');
    await server.stop();
    await waitFor('it is not ready', async () => (await ready(port)).status === 503);
    const { code, tookMs } = await service.end('SIGTERM');
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('ends at once and says why when the configuration is wrong', async () => {
    await using service = new TinyService({ SLUICE_NATS_URL: url, SLUICE_BUS_KEY: 'short' });
    expect((await service.end()).code).toBe(1);
    expect(JSON.stringify(service.lines)).toContain('SLUICE_BUS_KEY: must be 32 bytes');
  });

  it('kills itself at the point that a fault test names', async () => {
    await using service = new TinyService({ SLUICE_NATS_URL: url, SLUICE_KILL_POINT: 'tiny.begin' });
    await service.logged('tiny is ready');
    await publishRun(bus, captureRun());
    expect(await service.end()).toMatchObject({ signal: 'SIGKILL' });
  });
});
