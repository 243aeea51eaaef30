import { afterEach, describe, expect, it } from '@jest/globals';
import {
  appliedMessages,
  CHANGE_HEADERS,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
  helperObjectName,
  type IncrementalOptions,
  type Progress,
  sequenceMessages,
  type SequencesMessage,
  type TaskSpec,
} from '@sluice/contracts';
import { type Bus, changeStreams, connectBus, publish, subscribe } from '@sluice/messaging';
import { parseLsn, type Lsn } from '@sluice/model';
import { readSlot } from '@sluice/postgres-replication';
import { createLogger } from '@sluice/telemetry';
import {
  dedicatedServer,
  type NatsCluster,
  natsCluster,
  testDatabase,
  type TestDatabase,
  testNats,
  type TestServerOptions,
  waitFor,
} from '@sluice/testing';
import { type PostgresServer } from '@sluice/embedded';
import { randomUUID } from 'node:crypto';
import { type CaptureSessionOptions, type SessionEnd } from './capture-session.js';
import { runCaptureSession } from './run-capture-session.js';

const MEBIBYTE = 1024 * 1024;
const LOG = createLogger({ service: 'capture-spec', level: 'silent' });
const CONFIG: CaptureSessionOptions['config'] = {
  SLUICE_CAPTURE_STATUS_INTERVAL_MS: 500,
  SLUICE_CAPTURE_IDLE_WATERMARK_MS: 60_000,
  SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: 200,
  SLUICE_CAPTURE_WINDOW_BYTES: MEBIBYTE,

  SLUICE_CAPTURE_WHOLE_MS: 60_000,
  SLUICE_CHANGES_MAX_BYTES: 64 * MEBIBYTE,
};

type CaptureProgress = Extract<Progress, { kind: 'capture' }>;

/** A capture session, and an apply that has everything on disk as soon as it was published. */
class Watched implements AsyncDisposable {
  readonly progress: CaptureProgress[] = [];
  readonly #stopping = new AbortController();
  readonly ended: Promise<SessionEnd>;
  readonly task: TaskSpec;

  constructor(
    readonly bus: Bus,
    readonly source: TestDatabase,
    { task, idleWatermarkMs = 60_000 }: { readonly task: TaskSpec; readonly idleWatermarkMs?: number | undefined },
  ) {
    this.task = task;
    this.ended = runCaptureSession({
      task,
      source: source.endpoint,
      bus,
      config: { ...CONFIG, SLUICE_CAPTURE_IDLE_WATERMARK_MS: idleWatermarkMs },
      from: 'tail',
      untilLsn: new Promise<Lsn>(() => undefined),
      signal: this.#stopping.signal,
      log: LOG,
      onHealthy: () => undefined,
      onProgress: (progress) => {
        if (progress.kind === 'capture') this.progress.push(progress);
      },
    });
    this.ended.catch(() => undefined);
  }

  get last(): CaptureProgress | undefined {
    return this.progress.at(-1);
  }

  async applyAll(): Promise<void> {
    const { taskId } = this.task;
    await publish(this.bus, appliedMessages, {
      params: { taskId },
      payload: { version: 1, taskId, durableLsn: this.last?.publishedLsn ?? '0/0' },
      durable: false,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.ended.catch(() => undefined);
  }
}

describe('the watch on the source', () => {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });

  /** Ends after the sessions on it, or its end would wait for them. */
  async function ownServer(options: TestServerOptions): Promise<PostgresServer> {
    const server = await dedicatedServer(options);
    open.push(server);
    return server;
  }

  async function watch(
    options: {
      source?: TestDatabase;
      bus?: Bus;
      incremental?: Partial<IncrementalOptions>;
      idleWatermarkMs?: number;
    } = {},
  ): Promise<Watched> {
    const bus = options.bus ?? (await connectBus({ servers: (await testNats()).url, name: 'capture-spec', log: LOG }));
    open.push(bus);
    const source = options.source ?? (await testDatabase());
    open.push(source);
    await source.query('CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, value text)');
    const taskId = randomUUID();
    const name = helperObjectName(taskId);
    await source.query(`CREATE PUBLICATION ${name} FOR TABLE t`);
    await source.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    const task: TaskSpec = {
      taskId,
      name: 'spec-task',
      syncType: 'full_and_incremental',
      slotName: name,
      publicationName: name,
      incremental: { ...DEFAULT_INCREMENTAL_OPTIONS, ...options.incremental },
      objects: EVERYTHING,
      ddlDecisions: [],
      users: DEFAULT_USER_OPTIONS,
    };
    const watched = new Watched(bus, source, { task, idleWatermarkMs: options.idleWatermarkMs });
    open.push(watched);
    return watched;
  }

  it('tells where the source stands, what it keeps, and its clock', async () => {
    const watched = await watch();
    await watched.source.query(`INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i`);
    const [row] = await watched.source.query<{ lsn: string; restart: string }>(
      `SELECT pg_current_wal_lsn()::text AS lsn, restart_lsn::text AS restart FROM pg_replication_slots
       WHERE slot_name = '${watched.task.slotName}'`,
    );
    const seen = await waitFor('the end of WAL to be seen', () => {
      const { last } = watched;
      if (!last?.slot) return undefined;
      return parseLsn(last.slot.sourceLsn) >= parseLsn(row?.lsn ?? '0/0') && last;
    });
    expect(seen.slot).toMatchObject({
      restartLsn: row?.restart,
      walStatus: 'reserved',
      safeBytes: null,
      secondsLeft: null,
    });
    expect(seen.retainedBytes).toBeGreaterThan(10 * MEBIBYTE);
    expect(Math.abs(seen.clockOffsetMs ?? Infinity)).toBeLessThan(1_000);
    await waitFor('everything to be read', () => watched.last?.readThrough === watched.last?.sourceTime);
  });

  it.each([
    // Empty transactions are sent up to PostgreSQL 14: the heartbeat alone moves the slot.
    { major: 12, idleWatermarkMs: 60_000, heartbeatsMin: 1 },
    // Later ones bring positions, which are passed on: it moves by itself.
    { major: 17, idleWatermarkMs: 300, heartbeatsMin: 0 },
  ] as const)('moves the slot of a source whose other database writes much: %j', async (given) => {
    const { major, idleWatermarkMs, heartbeatsMin } = given;
    const server = await ownServer({ major });
    const other = await testDatabase({ server, schema: 'CREATE TABLE noise (v text)' });
    open.push(other);
    const watched = await watch({ source: await testDatabase({ server }), idleWatermarkMs });
    await waitFor('the first look', () => watched.last?.slot);
    const slotLsns = async (): Promise<{ restartLsn: bigint; confirmedLsn: bigint }> => {
      const slot = await readSlot(await other.connect(), watched.task.slotName);
      if (!slot.exists) throw new Error('the slot is gone');
      return { restartLsn: slot.restartLsn ?? 0n, confirmedLsn: slot.confirmedFlushLsn };
    };
    await other.query(`INSERT INTO noise SELECT repeat('x', 1000) FROM generate_series(1, 20000)`);
    const [row] = await other.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
    const noisyLsn = parseLsn(row?.lsn ?? '0/0');
    await waitFor(
      'the slot to be beyond the noise',
      async () => {
        await other.query(`INSERT INTO noise SELECT repeat('x', 1000) FROM generate_series(1, 3000)`);
        await other.query('CHECKPOINT');
        await watched.applyAll();
        const { restartLsn, confirmedLsn } = await slotLsns();
        return restartLsn > noisyLsn && confirmedLsn > noisyLsn;
      },
      { intervalMs: 200 },
    );
    expect(watched.last?.heartbeats).toBeGreaterThanOrEqual(heartbeatsMin);
  });

  it.each([13, 16, 18] as const)(
    'tells a slot of major %d that was invalidated from a lost connection',
    async (major) => {
      const server = await ownServer({ major, settings: { max_slot_wal_keep_size: '1MB' } });
      const source = await testDatabase({ server });
      const watched = await watch({ source });
      await waitFor('the first look', () => watched.last?.slot);
      // The target does not follow: the slot stays where it is, while the stream is open.
      await source.query(
        `SELECT pg_logical_emit_message(false, 'spec', repeat('x', 1000000)) FROM generate_series(1, 40)`,
      );
      const switching = (async (): Promise<void> => {
        for (let round = 0; round < 4; round += 1) {
          await source.query('SELECT pg_switch_wal()');
          await source.query(`SELECT pg_logical_emit_message(false, 'spec', repeat('x', 1000000))`);
        }
        await source.query('CHECKPOINT');
      })();
      const error: unknown = await watched.ended.catch((reason: unknown) => reason);
      await switching;
      // The watch, or the server's end of the stream, whichever comes first; a new session then says it for certain.
      expect(error).toMatchObject({ code: expect.stringMatching(/SLUICE-(4003|1012)/) });
      const again = new Watched(watched.bus, source, watched);
      await expect(again.ended).rejects.toMatchObject({ code: 'SLUICE-4003' });
    },
  );

  it('forecasts when the slot is lost', async () => {
    const server = await ownServer({ settings: { max_slot_wal_keep_size: '4GB' } });
    const source = await testDatabase({ server });
    const watched = await watch({ source });
    const forecast = await waitFor('a forecast', async () => {
      await source.query(`SELECT pg_logical_emit_message(false, 'spec', repeat('x', 1000000))`);
      return watched.last?.slot?.secondsLeft ?? undefined;
    });
    expect(forecast).toBeGreaterThan(0);
    expect(watched.last?.slot?.safeBytes).toBeGreaterThan(1024 * MEBIBYTE);
  });

  it('sends sequences that moved, however often, and those of a TRUNCATE backwards', async () => {
    const source = await testDatabase({ schema: 'CREATE SEQUENCE s; CREATE SEQUENCE other' });
    const bus = await connectBus({ servers: (await testNats()).url, name: 'capture-spec', log: LOG });
    const heard: SequencesMessage['sequences'] = [];
    using _listening = subscribe(bus, sequenceMessages, { handle: ({ sequences }) => void heard.push(...sequences) });
    await bus.connection.flush();
    await watch({ source, bus, incremental: { sequenceIntervalMs: 100 } });
    const until = (lastValue: string, isCalled: boolean): Promise<unknown> =>
      waitFor(`s at ${lastValue}`, () =>
        heard.find((one) => one.name === 's' && one.lastValue === lastValue && one.isCalled === isCalled),
      );
    await source.query(`SELECT nextval('s') FROM generate_series(1, 41)`);
    await until('41', true);
    await source.query(`SELECT setval('s', 7, false)`);
    await until('7', false);
  });

  it('never looks at sequences when that is ordered', async () => {
    const source = await testDatabase({ schema: 'CREATE SEQUENCE s' });
    const bus = await connectBus({ servers: (await testNats()).url, name: 'capture-spec', log: LOG });
    const heard: SequencesMessage[] = [];
    const watched = await watch({ source, bus, incremental: { sequenceIntervalMs: 0 } });
    using _listening = subscribe(bus, sequenceMessages, {
      params: { taskId: watched.task.taskId },
      handle: (message) => void heard.push(message),
    });
    await waitFor('several looks', () => watched.progress.length >= 3);
    expect(heard).toEqual([]);
  });
});

describe('confirm: stored', () => {
  let cluster: NatsCluster | null = null;
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    cluster = null;
  });

  async function start(bus: Bus): Promise<Watched> {
    open.push(bus);
    const source = await testDatabase({ schema: 'CREATE TABLE t (id int PRIMARY KEY, value text)' });
    open.push(source);
    const taskId = randomUUID();
    const name = helperObjectName(taskId);
    await source.query(`CREATE PUBLICATION ${name} FOR TABLE t`);
    await source.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    const incremental = { ...DEFAULT_INCREMENTAL_OPTIONS, confirm: 'stored' as const };
    const names = { name: 'spec-task', slotName: name, publicationName: name, users: DEFAULT_USER_OPTIONS };
    const task: TaskSpec = {
      ...names,
      taskId,
      syncType: 'full_and_incremental',
      incremental,
      objects: EVERYTHING,
      ddlDecisions: [],
    };
    const watched = new Watched(bus, source, { task });
    open.push(watched);
    return watched;
  }

  it('is refused on a stream that one disk has', async () => {
    const bus = await connectBus({ servers: (await testNats()).url, name: 'capture-spec', log: LOG });
    const watched = await start(bus);
    await expect(watched.ended).rejects.toMatchObject({ code: 'SLUICE-4007' });
  });

  it('frees WAL of the source once three servers have it, but a large transaction once it is applied', async () => {
    cluster = await natsCluster();
    const bus = await connectBus({ servers: cluster.url, name: 'capture-spec', log: LOG, replicas: 3 });
    await waitFor('streams on the cluster', () =>
      bus.ensureTopology().then(
        () => true,
        () => false,
      ),
    );
    const watched = await start(bus);
    const { source, task } = watched;
    const confirmedLsn = async (): Promise<Lsn> => {
      const slot = await readSlot(await source.connect(), task.slotName);
      if (!slot.exists) throw new Error('the slot is gone');
      return slot.confirmedFlushLsn;
    };
    const walEnd = async (): Promise<Lsn> =>
      parseLsn((await source.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn'))[0]?.lsn ?? '0/0');
    // What was there before the session began counts once it is applied.
    // A cluster that is still choosing a leader for the stream does not answer.
    const storedCount = async (): Promise<number> => {
      const info = await changeStreams(bus)
        .info(task.taskId)
        .catch(() => null);
      return info?.messageCount ?? 0;
    };
    await waitFor('the first batch', async () => (await storedCount()) > 0);
    await waitFor('progress', () => watched.last);
    await watched.applyAll();
    await source.query(`INSERT INTO t VALUES (1, 'a')`);
    const smallLsn = await walEnd();
    await waitFor('the slot to be behind what is stored', async () => {
      await source.query(`INSERT INTO t VALUES (2, 'b') ON CONFLICT (id) DO UPDATE SET value = t.value || 'b'`);
      return (await confirmedLsn()) >= smallLsn;
    });
    const beforeLarge = await walEnd();
    await source.query(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(10, 45000) i`);
    const largeLsn = await walEnd();
    const reached = (): boolean => parseLsn(watched.last?.publishedLsn ?? '0/0') > beforeLarge + 30_000_000n;
    await waitFor('the large transaction to be stored', reached);
    expect(await confirmedLsn()).toBeLessThan(largeLsn - 30_000_000n);
    await watched.applyAll();
    await waitFor('the slot to follow', async () => (await confirmedLsn()) > beforeLarge + 30_000_000n);
    using publisher = await changeStreams(bus).openPublisher(task.taskId);
    expect((await publisher.lastMessage())?.headers[CHANGE_HEADERS.capturedAt]).toMatch(/^\d{16}$/);
  });
});
