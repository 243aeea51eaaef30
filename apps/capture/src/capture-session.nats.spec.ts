import { afterEach, describe, expect, it } from '@jest/globals';
import {
  appliedMessages,
  CHANGE_HEADERS,
  helperObjectName,
  rewindMessages,
  type TaskSpec,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { abortReason } from '@sluice/kernel';
import { type Bus, type ChangeMessage, changeStreams, connectBus, publish } from '@sluice/messaging';
import { formatLsn, type Lsn, parseLsn } from '@sluice/model';
import {
  decodeBegin,
  frames,
  MESSAGE_KIND,
  readSlot,
  readTuple,
  rowChange,
  TupleView,
} from '@sluice/postgres-replication';
import { createLogger } from '@sluice/telemetry';
import { dedicatedServer, testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { type CaptureSessionOptions, type SessionEnd } from './capture-session.js';
import { runCaptureSession } from './run-capture-session.js';

const MEBIBYTE = 1024 * 1024;
const CONFIG: CaptureSessionOptions['config'] = {
  SLUICE_CAPTURE_STATUS_INTERVAL_MS: 1_000,
  SLUICE_CAPTURE_IDLE_WATERMARK_MS: 300,
  SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: 60_000,
  SLUICE_CAPTURE_WINDOW_BYTES: MEBIBYTE,

  SLUICE_CAPTURE_WHOLE_MS: 60_000,
  SLUICE_CHANGES_MAX_BYTES: 64 * MEBIBYTE,
};

interface RunningSession {
  readonly ended: Promise<SessionEnd>;
  endAt(lsn: Lsn): void;
  stop(): Promise<void>;
}

/** One task: a source with its slot, its change stream, and capture sessions on it. */
class Setup implements AsyncDisposable {
  readonly log = createLogger({ service: 'capture-spec', level: 'silent' });
  readonly #running: RunningSession[] = [];

  private constructor(
    readonly bus: Bus,
    readonly source: TestDatabase,
    readonly task: TaskSpec,
  ) {}

  static async create(source?: TestDatabase): Promise<Setup> {
    const log = createLogger({ service: 'capture-spec', level: 'silent' });
    const bus = await connectBus({ servers: (await testNats()).url, name: 'capture-spec', log });
    const db = source ?? (await testDatabase());
    await db.query('CREATE TABLE t (id int PRIMARY KEY, value text)');
    const taskId = randomUUID();
    const name = helperObjectName(taskId);
    await db.query(`CREATE PUBLICATION ${name} FOR TABLE t`);
    await db.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    const task: TaskSpec = {
      taskId,
      name: 'spec-task',
      syncType: 'full_and_incremental',
      slotName: name,
      publicationName: name,
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      objects: EVERYTHING,
      ddlDecisions: [],
      users: DEFAULT_USER_OPTIONS,
    };
    return new Setup(bus, db, task);
  }

  capture(
    options: Partial<Pick<CaptureSessionOptions, 'from' | 'cellForm' | 'config' | 'onProgress'>> = {},
  ): RunningSession {
    const stopping = new AbortController();
    const until = Promise.withResolvers<Lsn>();
    const ended = runCaptureSession({
      task: this.task,
      source: this.source.endpoint,
      bus: this.bus,
      config: CONFIG,
      from: 'tail',
      cellForm: 'any',
      untilLsn: until.promise,
      signal: stopping.signal,
      log: this.log,
      onHealthy: () => undefined,
      onProgress: () => undefined,
      ...options,
    });
    ended.catch(() => undefined);
    const session: RunningSession = {
      ended,
      endAt: until.resolve,
      stop: async () => {
        stopping.abort();
        await ended.catch(() => undefined);
      },
    };
    this.#running.push(session);
    return session;
  }

  /** Everything in the stream; it stays there. */
  async batches(): Promise<ChangeMessage[]> {
    const streams = changeStreams(this.bus);
    const info = await streams.info(this.task.taskId);
    if (!info) return [];
    await using reader = await streams.openReader(this.task.taskId, { prefetchBytes: 256 * MEBIBYTE });
    const messages: ChangeMessage[] = [];
    while (messages.length < info.messageCount) {
      const message = await reader.next(5_000);
      if (!message) break;
      messages.push(message);
    }
    return messages;
  }

  /** Waits until the stream's frames are these kinds; headings are left out. */
  async untilKinds(expected: string): Promise<ChangeMessage[]> {
    let seen: ChangeMessage[] = [];
    await waitFor(`the stream to hold ${expected}`, async () => {
      seen = await this.batches();
      return changeKinds(seen) === expected;
    });
    return seen;
  }

  async walEnd(): Promise<Lsn> {
    const [row] = await this.source.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
    return parseLsn(row?.lsn ?? '0/0');
  }

  async confirmedLsn(): Promise<Lsn | null> {
    await using client = await this.source.connect();
    const slot = await readSlot(client, this.task.slotName);
    return slot.exists ? slot.confirmedFlushLsn : null;
  }

  async applied(durableLsn: string): Promise<void> {
    const { taskId } = this.task;
    await publish(this.bus, appliedMessages, {
      params: { taskId },
      payload: { version: 1, taskId, durableLsn },
      durable: false,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((session) => session.stop()));
    await this.source[Symbol.asyncDispose]();
    await this.bus.close();
  }
}

const header = (message: ChangeMessage | undefined, name: keyof typeof CHANGE_HEADERS): string | undefined =>
  message?.headers[CHANGE_HEADERS[name]];

function wholeRuns(messages: readonly ChangeMessage[]): Uint8Array {
  return Buffer.concat(messages.map(({ payload }) => payload));
}

function changeKinds(messages: readonly ChangeMessage[]): string {
  return Array.from(frames(wholeRuns(messages)), ({ kind }) => String.fromCharCode(kind))
    .filter((kind) => kind !== 'R')
    .join('');
}

function commitLsns(messages: readonly ChangeMessage[]): Lsn[] {
  const cursor = frames(wholeRuns(messages));
  const result: Lsn[] = [];
  while (cursor.advance()) {
    if (cursor.kind === MESSAGE_KIND.begin) result.push(decodeBegin(cursor.buffer, cursor.payloadOffset).commitLsn);
  }
  return result;
}

/** Session by session: ordinals without a gap, each batch's watermark the next one's previous. */
function expectContiguous(messages: readonly ChangeMessage[]): void {
  for (const [index, message] of messages.entries()) {
    const before = messages[index - 1];
    const isNewSession = header(before, 'session') !== header(message, 'session');
    expect(Number(header(message, 'ordinal'))).toBe(isNewSession ? 0 : Number(header(before, 'ordinal')) + 1);
    if (!isNewSession) expect(header(message, 'previousLsn')).toBe(header(before, 'watermarkLsn'));
  }
}

describe('runCaptureSession', () => {
  let setup: Setup;
  afterEach(() => setup[Symbol.asyncDispose]());

  it('announces itself at once, then brings every commit in order', async () => {
    setup = await Setup.create();
    setup.capture();
    await waitFor('the first batch', async () => (await setup.batches()).length >= 1);
    const [first] = await setup.batches();
    expect(header(first, 'ordinal')).toBe('0');
    expect(header(first, 'previousLsn')).toBe(formatLsn((await setup.confirmedLsn()) ?? parseLsn('0/0')));
    expect(header(first, 'slotLsn')).toBe(header(first, 'previousLsn'));
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.source.query('UPDATE t SET value = 1');
    const batches = await setup.untilKinds('BICBUC');
    expectContiguous(batches);
  });

  it('goes on behind the newest batch after a restart, without a gap and without a repetition', async () => {
    setup = await Setup.create();
    const first = setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.untilKinds('BIC');
    await first.stop();
    await setup.source.query('INSERT INTO t VALUES (2)');
    await setup.source.query('DELETE FROM t');
    setup.capture();
    const batches = await setup.untilKinds('BICBICBDDC');
    const second = batches.find((batch) => header(batch, 'session') !== header(batches[0], 'session'));
    const before = batches[batches.findIndex((batch) => batch === second) - 1];
    expect(header(second, 'previousLsn')).toBe(header(before, 'watermarkLsn'));
    expectContiguous(batches);
  });

  it('confirms to the source what is durable on the target, and only that (I1)', async () => {
    setup = await Setup.create();
    const startLsn = await setup.confirmedLsn();
    setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    const batches = await setup.untilKinds('BIC');
    const published = header(batches.at(-1), 'watermarkLsn') ?? '';
    // Time in which a wrong confirmation would have gone out.
    await setup.source.query('INSERT INTO t VALUES (2)');
    await setup.untilKinds('BICBIC');
    expect(await setup.confirmedLsn()).toBe(startLsn);
    await setup.applied(published);
    await waitFor('the slot to move', async () => (await setup.confirmedLsn()) === parseLsn(published));
    // What was never published here cannot be durable.
    await setup.applied('FFFFFFFF/0');
    const latest = await setup.walEnd();
    await waitFor('the slot to follow', async () => ((await setup.confirmedLsn()) ?? 0n) > parseLsn(published));
    expect((await setup.confirmedLsn()) ?? 0n).toBeLessThanOrEqual(latest);
  });

  it('passes on the position of an idle source, and confirms it once it is durable', async () => {
    setup = await Setup.create();
    setup.capture();
    await setup.source.query(`SELECT pg_logical_emit_message(false, 'spec', repeat('x', 100000))`);
    const lsn = await setup.walEnd();
    const idle = await waitFor('a watermark beyond', async () =>
      (await setup.batches()).find((batch) => parseLsn(header(batch, 'watermarkLsn') ?? '0/0') >= lsn),
    );
    await setup.applied(header(idle, 'watermarkLsn') ?? '');
    await waitFor('the slot to move', async () => ((await setup.confirmedLsn()) ?? 0n) >= lsn);
  });

  describe('the form of values', () => {
    const isBinary = (batches: readonly ChangeMessage[]): boolean[] =>
      batches.map((batch) => header(batch, 'binary') === '1');
    const cellKinds = (batches: readonly ChangeMessage[]): string[] => {
      const bytes = wholeRuns(batches);
      const view = new TupleView();
      return Array.from(frames(bytes), ({ kind, payloadOffset }) => {
        if (kind !== MESSAGE_KIND.insert) return '';
        const { kinds, count } = readTuple(bytes, rowChange(bytes, payloadOffset).newTupleOffset, view);
        return String.fromCharCode(...kinds.subarray(0, count));
      }).filter((kinds) => kinds !== '');
    };

    it('is binary, and batches say so, when every published column has a portable one', async () => {
      setup = await Setup.create();
      setup.capture();
      await setup.source.query("INSERT INTO t VALUES (1, 'a')");
      const batches = await setup.untilKinds('BIC');
      expect(isBinary(batches)).not.toContain(false);
      expect(cellKinds(batches)).toEqual(['bb']);
    });

    it.each([
      ['apply asks for it', 'SELECT 1', { cellForm: 'text' as const }],
      ['a published column has another type', 'ALTER TABLE t ADD other int[]', {}],
    ])('is text when %s', async (_, statement, options) => {
      setup = await Setup.create();
      await setup.source.query(statement);
      setup.capture(options);
      await setup.source.query("INSERT INTO t VALUES (1, 'a')");
      const batches = await setup.untilKinds('BIC');
      expect(isBinary(batches)).not.toContain(true);
      expect(cellKinds(batches)[0]).toMatch(/^tt/);
    });

    it('becomes text before a value of a type that joins later is published', async () => {
      setup = await Setup.create();
      const session = setup.capture();
      await setup.source.query("INSERT INTO t VALUES (1, 'a')");
      await setup.untilKinds('BIC');
      await setup.source.query('ALTER TABLE t ADD other int[]');
      await setup.source.query("INSERT INTO t VALUES (2, 'b', '{1}')");
      expect(await session.ended).toEqual({ kind: 'text' });
      expect(cellKinds(await setup.batches())).toEqual(['bb']);
      setup.capture({ from: 'slot', cellForm: 'text' });
      expect(cellKinds(await setup.untilKinds('BICBICBIC'))).toEqual(['bb', 'tt', 'ttt']);
    });
  });

  it('spreads a row of 3 MB over batches that make the same frames again', async () => {
    setup = await Setup.create();
    setup.capture();
    await setup.source.query(`INSERT INTO t VALUES (1, repeat('x', 3000000)), (2, 'y')`);
    const batches = await setup.untilKinds('BIIC');
    expect(batches.filter((batch) => header(batch, 'partial') === '1')).toHaveLength(5);
    expectContiguous(batches);
  });

  it('stops reading while the change stream is full, and goes on when there is room', async () => {
    setup = await Setup.create();
    const config = { ...CONFIG, SLUICE_CHANGES_MAX_BYTES: 4 * MEBIBYTE };
    const changesRead: number[] = [];
    const onProgress: CaptureSessionOptions['onProgress'] = (progress) => {
      if (progress.kind === 'capture') changesRead.push(progress.changes);
    };
    setup.capture({ config, onProgress });
    await setup.source.query(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i`);
    const streams = changeStreams(setup.bus);
    const { taskId } = setup.task;
    await waitFor('a full stream', async () => ((await streams.info(taskId))?.sizeBytes ?? 0) > 3 * MEBIBYTE);
    const reports = changesRead.length;
    await waitFor('two more reports', () => changesRead.length >= reports + 2);
    expect(changesRead.at(-1)).toBeLessThan(20_000);
    await using reader = await streams.openReader(taskId, {});
    const payloads: Uint8Array[] = [];
    const kinds = (): string => changeKinds(payloads.map((payload) => ({ payload })) as ChangeMessage[]);
    let isDone = false;
    while (!isDone) {
      const message = await reader.next(10_000);
      if (!message) throw new Error('the stream ended too early');
      payloads.push(message.payload);
      reader.ackThrough(message.sequence);
      isDone = header(message, 'watermarkLsn') !== header(message, 'previousLsn');
    }
    expect(kinds()).toBe(`B${'I'.repeat(20_000)}C`);
  });

  it('makes the older of two captures fail instead of mixing in', async () => {
    setup = await Setup.create();
    const older = setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.untilKinds('BIC');
    setup.capture();
    await expect(older.ended).rejects.toMatchObject({ name: 'SluiceError' });
    await setup.source.query('INSERT INTO t VALUES (2)');
    expectContiguous(await setup.untilKinds('BICBIC'));
  });

  it('starts over from the slot when apply finds a gap in this session, not in an older one', async () => {
    setup = await Setup.create();
    const session = setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    const batches = await setup.untilKinds('BIC');
    const { taskId } = setup.task;
    const rewind = (name: string | undefined): Promise<void> =>
      publish(setup.bus, rewindMessages, {
        params: { taskId },
        payload: { version: 1, taskId, session: name ?? null, checkpointLsn: '0/0' },
        durable: false,
      });
    await rewind(randomUUID());
    await rewind(undefined);
    await setup.source.query('INSERT INTO t VALUES (2)');
    await setup.untilKinds('BICBIC');
    await rewind(header(batches[0], 'session'));
    expect(await session.ended).toEqual({ kind: 'rewind', checkpointLsn: 0n, needsText: false, needsWhole: false });
    setup.capture({ from: 'slot' });
    await setup.untilKinds('BICBICBICBIC');
  });

  it('ends before the first transaction at or above the ordered LSN, once all below are durable', async () => {
    setup = await Setup.create();
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.source.query('INSERT INTO t VALUES (2)');
    const first = setup.capture();
    const commits = commitLsns(await setup.untilKinds('BICBIC'));
    await first.stop();
    await changeStreams(setup.bus).delete(setup.task.taskId);
    const [, untilLsn] = commits;
    if (untilLsn === undefined) throw new Error('two transactions expected');
    const session = setup.capture();
    session.endAt(untilLsn);
    const batches = await waitFor('the final batch', async () => {
      const seen = await setup.batches();
      return seen.some((batch) => header(batch, 'final') === '1') && seen;
    });
    expect(changeKinds(batches)).toBe('BIC');
    expect(header(batches.at(-1), 'watermarkLsn')).toBe(formatLsn(untilLsn));
    await setup.applied(formatLsn(untilLsn));
    expect(await session.ended).toEqual({ kind: 'drained', publishedLsn: untilLsn });
    await waitFor('the slot to stand there', async () => (await setup.confirmedLsn()) === untilLsn);
  });

  it('ends at the end of WAL of an idle source', async () => {
    setup = await Setup.create();
    const session = setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    const untilLsn = await setup.walEnd();
    session.endAt(untilLsn);
    await waitFor('the final batch', async () =>
      (await setup.batches()).some((batch) => header(batch, 'final') === '1'),
    );
    expect(changeKinds(await setup.batches())).toBe('BIC');
    await setup.applied(formatLsn(untilLsn));
    expect(await session.ended).toMatchObject({ kind: 'drained' });
  });

  it('ends where the target was before the end was ordered', async () => {
    setup = await Setup.create();
    const confirmed: string[] = [];
    const onProgress: CaptureSessionOptions['onProgress'] = (progress) => {
      if (progress.kind === 'capture') confirmed.push(progress.confirmedLsn);
    };
    // No position of the idle source is passed on: the end would lie behind it, where this target never comes.
    const config = { ...CONFIG, SLUICE_CAPTURE_IDLE_WATERMARK_MS: 60_000 };
    const session = setup.capture({ config, onProgress });
    const announcement = await waitFor('the announcement', async () => (await setup.batches())[0]);
    const startLsn = header(announcement, 'watermarkLsn') ?? '';
    await setup.applied(startLsn);
    await waitFor('the report to have arrived', () => confirmed.includes(startLsn));
    session.endAt(parseLsn(startLsn));
    expect(await session.ended).toEqual({ kind: 'drained', publishedLsn: parseLsn(startLsn) });
  });

  it('fails when its stream is wiped, and the next session begins from the slot', async () => {
    setup = await Setup.create();
    const session = setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.untilKinds('BIC');
    await changeStreams(setup.bus).delete(setup.task.taskId);
    await setup.source.query('INSERT INTO t VALUES (2)');
    await expect(session.ended).rejects.toMatchObject({ code: 'SLUICE-7001' });
    setup.capture();
    await setup.untilKinds('BICBIC');
  });

  it('says that the slot was dropped', async () => {
    setup = await Setup.create();
    await setup.source.query(`SELECT pg_drop_replication_slot('${setup.task.slotName}')`);
    await expect(setup.capture().ended).rejects.toMatchObject({ code: 'SLUICE-4001' });
  });

  it('lets the source shut down while it is idle', async () => {
    await using server = await dedicatedServer();
    setup = await Setup.create(await testDatabase({ server }));
    const session = setup.capture();
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.untilKinds('BIC');
    const stopping = new AbortController();
    const applyAll = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const last = (await setup.batches()).at(-1);
        if (last) await setup.applied(header(last, 'watermarkLsn') ?? '');
      }
    };
    const applying = applyAll();
    await server.stop('fast');
    await expect(session.ended).rejects.toMatchObject({ code: 'SLUICE-1012' });
    stopping.abort(abortReason(AbortSignal.abort()));
    await applying;
  });
});
