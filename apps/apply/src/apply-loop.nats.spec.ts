import { describe, expect, it } from '@jest/globals';
import { CHANGE_HEADERS } from '@sluice/contracts';
import { type Bus, type ChangePublisher, changeStreams, connectBus } from '@sluice/messaging';
import { formatLsn, type Lsn, ZERO_LSN } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { frames, MESSAGE_KIND } from '@sluice/postgres-replication';
import { ensureCheckpointTable, TargetSession, TextFormNeeded } from '@sluice/postgres-writer';
import {
  expectSameRows,
  type RecordedTransaction,
  startRecording,
  takeRecorded,
  testDatabase,
  type TestDatabase,
  testNats,
  waitFor,
} from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ApplyLoop, ExactRestartNeeded } from './apply-loop.js';
import { type ApplyLoopOptions, type LoopTarget } from './apply-loop-options.js';

/** One task: a source whose changes are recorded, a target with a checkpoint, and its change stream. */
class Setup implements AsyncDisposable {
  readonly taskId = randomUUID();

  readonly bus: Bus;
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly recorder: Client;

  private constructor(parts: { bus: Bus; source: TestDatabase; target: TestDatabase; recorder: Client }) {
    this.bus = parts.bus;
    this.source = parts.source;
    this.target = parts.target;
    this.recorder = parts.recorder;
  }

  static async create(schema: string): Promise<Setup> {
    const nats = await testNats();
    const bus = await connectBus({ servers: nats.url, name: 'apply-test' });
    const source = await testDatabase({ schema });
    const target = await testDatabase({ schema });
    const recorder = await source.connect();
    await startRecording(recorder);
    const setup = new Setup({ bus, source, target, recorder });
    await ensureCheckpointTable(await target.connect());
    await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [setup.taskId, '0/0']);
    await changeStreams(bus).ensure(setup.taskId);
    return setup;
  }

  /** Runs each statement as a transaction on the source and gives what a walsender would have sent. */
  async record(...statements: string[]): Promise<RecordedTransaction[]> {
    for (const statement of statements) await this.recorder.query(statement);
    return takeRecorded(this.recorder);
  }

  /** The same in both forms; `startRecording(recorder, BINARY)` goes before. */
  async recordBoth(...statements: string[]): Promise<{ text: RecordedTransaction[]; binary: RecordedTransaction[] }> {
    const text = await this.record(...statements);
    return { text, binary: await takeRecorded(this.recorder, BINARY) };
  }

  publisher(): Promise<ChangePublisher> {
    return changeStreams(this.bus).openPublisher(this.taskId);
  }

  /** Runs a loop of its own until `until` holds (or it ends by itself) and gives how it ended. */
  async apply(
    options: { until?: () => Promise<boolean>; around?: (session: TargetSession) => LoopTarget } & Partial<
      Pick<ApplyLoopOptions, 'requestRewind' | 'exactCommitLsn' | 'needsText'>
    > = {},
  ): Promise<'final' | 'stopped'> {
    const stop = new AbortController();
    const session = await TargetSession.open(this.target.endpoint, { taskId: this.taskId });
    await using reader = await changeStreams(this.bus).openReader(this.taskId);
    const loop = new ApplyLoop({
      reader,
      target: options.around?.(session) ?? session,
      signal: stop.signal,
      exactCommitLsn: null,
      needsText: false,
      onDurable: () => undefined,
      onReceived: () => undefined,
      onHealthy: () => undefined,
      onApplied: () => undefined,
      requestRewind: () => undefined,
      runningMax: 3,
      onUnfit: () => undefined,
      killPoint: () => undefined,
      ...options,
    });
    const running = loop.run();
    const { until } = options;
    const watching = until ? waitFor('the state that ends the loop', until) : running;
    try {
      await Promise.race([watching, running]);
      stop.abort();
      return await running;
    } finally {
      await session.close();
    }
  }

  async isEqual(): Promise<boolean> {
    return expectSameRows(this.source, this.target).then(
      () => true,
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await changeStreams(this.bus).delete(this.taskId);
    await this.bus.close();
    await this.target[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
  }
}

/** Writes batches as capture does, cut where a test wants. */
class Session {
  readonly id = randomUUID();
  #ordinal = 0;
  #watermarkLsn: Lsn;

  constructor(
    private readonly publisher: ChangePublisher,
    startLsn: Lsn,
    private readonly slotLsn: Lsn = ZERO_LSN,
  ) {
    this.#watermarkLsn = startLsn;
  }

  async send(
    payload: Buffer,
    options: {
      watermark?: Lsn;
      continues?: boolean;
      partial?: boolean;
      final?: boolean;
      source?: string;
      binary?: boolean;
    } = {},
  ): Promise<void> {
    const previousLsn = this.#watermarkLsn;
    this.#watermarkLsn = options.watermark ?? previousLsn;
    await this.publisher.publish(payload, {
      [CHANGE_HEADERS.session]: this.id,
      [CHANGE_HEADERS.ordinal]: String(this.#ordinal),
      [CHANGE_HEADERS.previousLsn]: formatLsn(previousLsn),
      [CHANGE_HEADERS.watermarkLsn]: formatLsn(this.#watermarkLsn),
      ...(this.#ordinal === 0 && { [CHANGE_HEADERS.slotLsn]: formatLsn(this.slotLsn) }),
      ...(options.source && { [CHANGE_HEADERS.source]: options.source }),
      ...(options.continues && { [CHANGE_HEADERS.continues]: '1' }),
      ...(options.partial && { [CHANGE_HEADERS.partial]: '1' }),
      ...(options.final && { [CHANGE_HEADERS.final]: '1' }),
      ...(options.binary && { [CHANGE_HEADERS.binary]: '1' }),
    });
    this.#ordinal += 1;
  }

  async sendAll(
    transactions: readonly RecordedTransaction[],
    options: { final?: boolean; binary?: boolean } = {},
  ): Promise<void> {
    const watermark = transactions.at(-1)?.endLsn;
    await this.send(Buffer.concat(transactions.map(({ frames }) => frames)), {
      ...options,
      ...(watermark && { watermark }),
    });
  }

  /** Cuts the frames into pieces of `bytes`, wherever that falls. */
  async sendCut(transaction: RecordedTransaction, bytes: number, options: { final?: boolean } = {}): Promise<void> {
    for (let start = 0; start < transaction.frames.length; start += bytes) {
      const isLast = start + bytes >= transaction.frames.length;
      await this.send(transaction.frames.subarray(start, start + bytes), {
        continues: start > 0,
        partial: !isLast,
        ...(isLast && { watermark: transaction.endLsn, ...options }),
      });
    }
  }
}

/** Frames in runs of about `bytes`. */
function* runsOf(buffer: Buffer, bytes: number): Generator<Buffer> {
  let start = 0;
  for (const { end } of frames(buffer)) {
    if (end - start < bytes && end < buffer.length) continue;
    yield buffer.subarray(start, end);
    start = end;
  }
}

/** What capture puts at the head of a batch. */
function relationsOf(transaction: RecordedTransaction | undefined): Buffer {
  const cursor = frames(present(transaction).frames);
  const relations: Uint8Array[] = [];
  while (cursor.advance()) if (cursor.kind === MESSAGE_KIND.relation) relations.push(Buffer.from(cursor.bytes));
  return Buffer.concat(relations);
}

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('nothing recorded');
  return value;
};

/** The final batch stays for a run that may take over. */
async function waitForOnlyFinalBatch({ bus, taskId }: Setup): Promise<void> {
  const isOnly = async (): Promise<boolean> => (await changeStreams(bus).info(taskId))?.messageCount === 1;
  await waitFor('a stream with the final batch only', isOnly);
}

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v text, u int UNIQUE)';
const BINARY = { slot: 'binary_recorder', binary: true };

describe('ApplyLoop', () => {
  it('has values in binary form that must be written one by one sent again as text', async () => {
    await using setup = await Setup.create('CREATE TABLE t (v text); ALTER TABLE t REPLICA IDENTITY FULL');
    await startRecording(setup.recorder, BINARY);
    // What it holds is kept by an update of the row, and would not be by writing it anew.
    await setup.target.query("ALTER TABLE t ADD COLUMN own text DEFAULT 'mine'");
    const { text, binary } = await setup.recordBoth("INSERT INTO t VALUES ('a'), ('a')", "UPDATE t SET v = 'b'");
    const publisher = await setup.publisher();
    const binarySession = new Session(publisher, ZERO_LSN);
    await binarySession.sendAll(binary, { binary: true });
    await expect(setup.apply()).rejects.toThrow(TextFormNeeded);
    const rewound = Promise.withResolvers<string | null>();
    const requestRewind = ({ session }: { session: string | null }): void => rewound.resolve(session);
    const applied = setup.apply({ needsText: true, requestRewind });
    expect(await rewound.promise).toBe(binarySession.id);
    await new Session(publisher, ZERO_LSN).sendAll(text, { final: true });
    expect(await applied).toBe('final');
    await setup.target.query('ALTER TABLE t DROP COLUMN own');
    await expectSameRows(setup.source, setup.target);
  });

  it('ends again for a run that takes over after the final batch', async () => {
    await using setup = await Setup.create(TABLE);
    const recorded = await setup.record("INSERT INTO t VALUES (1, 'a', 1)");
    await new Session(await setup.publisher(), ZERO_LSN).sendAll(recorded, { final: true });
    expect(await setup.apply()).toBe('final');
    expect(await setup.apply()).toBe('final');
    await expectSameRows(setup.source, setup.target);
  });

  it.each([
    ['waits', 10],
    ['is being written', 20_000],
  ])('ends at the final position when a transaction above it that will never come whole %s', async (_, rows) => {
    await using setup = await Setup.create(TABLE);
    const [first, above] = await setup.record(
      "INSERT INTO t VALUES (1, 'a', 1)",
      `INSERT INTO t SELECT g, repeat('x', 1000), g FROM generate_series(2, ${rows}) g`,
    );
    const session = new Session(await setup.publisher(), ZERO_LSN);
    await session.sendAll([present(first)]);
    const { commitLsn, frames: bytes } = present(above);
    const runs = [...runsOf(bytes, 500_000)];
    const begun = runs.length > 1 ? runs.slice(0, -1) : [...runsOf(bytes, 1)].slice(0, 5);
    for (const [index, run] of begun.entries()) await session.send(run, { continues: index > 0 });
    await session.send(Buffer.alloc(0), { watermark: commitLsn, final: true });
    expect(await setup.apply()).toBe('final');
    expect(await setup.target.query('SELECT id, lsn::text FROM t, sluice.checkpoint')).toEqual([
      { id: 1, lsn: formatLsn(commitLsn) },
    ]);
  });

  it('applies batches cut inside frames and removes them once the target has them on disk', async () => {
    await using setup = await Setup.create(TABLE);
    const recorded = await setup.record(
      "INSERT INTO t SELECT g, 'v', g FROM generate_series(1, 200) g",
      "UPDATE t SET v = 'w' WHERE id % 2 = 0",
      'DELETE FROM t WHERE id > 150',
    );
    const session = new Session(await setup.publisher(), ZERO_LSN);
    for (const [index, transaction] of recorded.entries())
      await session.sendCut(transaction, 700, { final: index === recorded.length - 1 });
    expect(await setup.apply()).toBe('final');
    await expectSameRows(setup.source, setup.target);
    await waitForOnlyFinalBatch(setup);
  });

  it('writes nothing behind a transaction that failed while something else was waited for', async () => {
    await using setup = await Setup.create(`${TABLE}; CREATE TABLE gone (id int PRIMARY KEY)`);
    const [failing, next] = await setup.record('INSERT INTO gone VALUES (1)', "INSERT INTO t VALUES (1, 'a', 1)");
    await setup.target.query('DROP TABLE gone');
    const session = new Session(await setup.publisher(), ZERO_LSN);
    await session.sendAll([present(failing)]);
    const isBeingWritten = Promise.withResolvers<void>();
    let isWriting = false;
    const mayFail = Promise.withResolvers<void>();
    const hasFailed = Promise.withResolvers<void>();
    const around = (target: TargetSession): LoopTarget =>
      new Proxy<LoopTarget>(target, {
        get: (_, name) => {
          if (name === 'applyTransactions')
            return async (...[transactions]: Parameters<LoopTarget['applyTransactions']>) => {
              isWriting = true;
              isBeingWritten.resolve();
              await mayFail.promise;
              await target.applyTransactions(transactions).finally(hasFailed.resolve);
            };
          if (name === 'refreshDurable')
            return async () => {
              // The moment between two looks at how the write went.
              if (isWriting) {
                mayFail.resolve();
                await hasFailed.promise;
                // As the answer of a server does, it comes after all that follows from the failure.
                await setImmediate();
              }
              return target.refreshDurable();
            };
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    // Only when there is something behind it.
    const later = isBeingWritten.promise.then(() => session.sendAll([present(next)]));
    await expect(setup.apply({ around })).rejects.toMatchObject({ code: 'SLUICE-5006' });
    await later;
    expect(await setup.target.query('SELECT count(*)::int AS rows FROM t')).toEqual([{ rows: 0 }]);
    expect(await setup.target.query('SELECT lsn::text FROM sluice.checkpoint')).toEqual([{ lsn: '0/0' }]);
  });

  it('applies nothing twice when the same transactions come again in another session', async () => {
    await using setup = await Setup.create('CREATE TABLE t (v int); ALTER TABLE t REPLICA IDENTITY FULL');
    const recorded = await setup.record(
      'INSERT INTO t VALUES (1)',
      'INSERT INTO t VALUES (1)',
      'UPDATE t SET v = v + 1',
    );
    const publisher = await setup.publisher();
    await new Session(publisher, ZERO_LSN).sendAll(recorded);
    await setup.apply({ until: () => setup.isEqual() });
    await new Session(publisher, ZERO_LSN).sendAll(recorded, { final: true });
    expect(await setup.apply()).toBe('final');
    await expectSameRows(setup.source, setup.target);
  });

  it('drops an unfinished transaction when a new session sends it again from its beginning', async () => {
    await using setup = await Setup.create(TABLE);
    const [first, second] = await setup.record(
      "INSERT INTO t VALUES (1, 'a', 1)",
      "INSERT INTO t SELECT g, 'b', g FROM generate_series(2, 40) g",
    );
    const publisher = await setup.publisher();
    const broken = new Session(publisher, ZERO_LSN);
    await broken.sendAll([present(first)]);
    await broken.send(present(second).frames.subarray(0, 500), { partial: true });
    await new Session(publisher, present(first).endLsn).sendAll([present(second)], { final: true });
    expect(await setup.apply()).toBe('final');
    await expectSameRows(setup.source, setup.target);
  });

  it('asks for a rewind at a gap, applies nothing behind it, and goes on with the session that heals it', async () => {
    await using setup = await Setup.create(TABLE);
    const [first, lost, third] = await setup.record(
      "INSERT INTO t VALUES (1, 'a', 1)",
      "UPDATE t SET v = 'b'",
      "UPDATE t SET v = 'c'",
    );
    const publisher = await setup.publisher();
    const gapped = new Session(publisher, present(lost).endLsn);
    await gapped.sendAll([present(third)]);
    let healed = false;
    const requestRewind = ({ session }: { session: string | null }): void => {
      expect(session).toBe(gapped.id);
      if (healed) return;
      healed = true;
      void new Session(publisher, ZERO_LSN).sendAll([present(first), present(lost), present(third)], { final: true });
    };
    expect(await setup.apply({ requestRewind })).toBe('final');
    expect(healed).toBe(true);
    await expectSameRows(setup.source, setup.target);
  });

  it('asks for another rewind when capture has meanwhile begun a session at the tail, behind the gap', async () => {
    await using setup = await Setup.create(TABLE);
    const [first, second] = await setup.record("INSERT INTO t VALUES (1, 'a', 1)", "UPDATE t SET v = 'b'");
    const { endLsn } = present(second);
    const publisher = await setup.publisher();
    // What is left of a session whose begin was acked, and one that goes on at its watermark.
    await new Session(publisher, present(first).endLsn).sendAll([present(second)]);
    const tail = new Session(publisher, endLsn);
    await tail.send(Buffer.alloc(0));
    let healed = false;
    const requestRewind = ({ session }: { session: string | null }): void => {
      if (healed || session !== tail.id) return;
      healed = true;
      void new Session(publisher, ZERO_LSN).sendAll([present(first), present(second)], { final: true });
    };
    expect(await setup.apply({ requestRewind })).toBe('final');
    await expectSameRows(setup.source, setup.target);
  });

  it('stops when the slot itself begins above the checkpoint', async () => {
    await using setup = await Setup.create(TABLE);
    const [first, second] = await setup.record("INSERT INTO t VALUES (1, 'a', 1)", "INSERT INTO t VALUES (2, 'b', 2)");
    const publisher = await setup.publisher();
    const { endLsn } = present(first);
    await new Session(publisher, endLsn, endLsn).sendAll([present(second)]);
    await expect(setup.apply()).rejects.toMatchObject({ code: 'SLUICE-5005' });
    expect(await setup.target.query('SELECT * FROM t')).toEqual([]);
  });

  it.each([
    { what: 'another server', source: '8 1', code: 'SLUICE-4009' },
    { what: 'a promoted standby that lacks what was applied', source: '7 2 1@0/1', code: 'SLUICE-4009' },
    { what: 'a promoted standby that had it all', source: '7 2 1@FFFF/0', code: null },
  ])('$what: $code', async ({ source, code }) => {
    await using setup = await Setup.create(TABLE);
    const [first, second] = await setup.record("INSERT INTO t VALUES (1, 'a', 1)", "INSERT INTO t VALUES (2, 'b', 2)");
    const publisher = await setup.publisher();
    const before = new Session(publisher, ZERO_LSN);
    await before.send(Buffer.alloc(0), { source: '7 1' });
    await before.sendAll([present(first)]);
    const stored = async (): Promise<string> => {
      const [row] = await setup.target.query<{ source: string }>('SELECT source FROM sluice.checkpoint');
      return row?.source ?? '';
    };
    await setup.apply({ until: async () => (await setup.target.query('SELECT FROM t')).length === 1 });
    expect(await stored()).toBe('7 1');
    const after = new Session(publisher, present(first).endLsn);
    await after.send(Buffer.alloc(0), { source });
    await after.send(Buffer.concat([relationsOf(first), present(second).frames]), {
      watermark: present(second).endLsn,
      final: true,
    });
    if (code === null) expect(await setup.apply()).toBe('final');
    else await expect(setup.apply()).rejects.toMatchObject({ code });
    expect(await stored()).toBe(code === null ? source : '7 1');
    expect(await setup.target.query('SELECT FROM t')).toHaveLength(code === null ? 2 : 1);
  });

  it.each([
    { tail: 'is applied', asks: false },
    { tail: 'is not applied', asks: true },
  ])('begins inside a transaction whose begin is gone from the stream and which $tail', async ({ asks }) => {
    await using setup = await Setup.create(TABLE);
    const [first, second, third] = await setup.record(
      "INSERT INTO t SELECT g, 'a', g FROM generate_series(1, 30) g",
      "UPDATE t SET v = 'b'",
      "INSERT INTO t VALUES (99, 'c', 99)",
    );
    const publisher = await setup.publisher();
    if (!asks) {
      const whole = new Session(publisher, ZERO_LSN);
      await whole.sendAll([present(first), present(second)]);
      await setup.apply({ until: async () => (await setup.target.query("SELECT FROM t WHERE v = 'b'")).length === 30 });
    }
    // What a run finds that takes over: its predecessor removed the batch before, all of whose transactions it had written.
    const runs = [...runsOf(present(second).frames, 1)];
    const session = new Session(publisher, asks ? ZERO_LSN : present(first).endLsn);
    await session.send(Buffer.concat([relationsOf(first), ...runs.slice(10), present(third).frames]), {
      continues: true,
      watermark: present(third).endLsn,
      final: !asks,
    });
    let healed = false;
    const requestRewind = (): void => {
      if (healed) return;
      healed = true;
      void new Session(publisher, ZERO_LSN).sendAll([present(first), present(second), present(third)], { final: true });
    };
    expect(await setup.apply({ requestRewind })).toBe('final');
    expect(healed).toBe(asks);
    await expectSameRows(setup.source, setup.target);
  });

  it('writes a transaction that is larger than a part as one, and row by row when folding it fails', async () => {
    await using setup = await Setup.create(TABLE);
    const [rows, swap] = await setup.record(
      "INSERT INTO t SELECT g, repeat('x', 1000), g FROM generate_series(1, 20) g",
      // Larger than a part, with swapped unique values that only the exact order can write.
      `BEGIN; UPDATE t SET u = -id; UPDATE t SET u = 21 + u; INSERT INTO t SELECT g, repeat('y', 1000), g FROM generate_series(100, 20000) g; COMMIT`,
    );
    const session = new Session(await setup.publisher(), ZERO_LSN);
    await session.sendAll([present(rows)]);
    const { commitLsn, endLsn, frames: bytes } = present(swap);
    const runs = [...runsOf(bytes, 500_000)];
    for (const [index, run] of runs.entries()) {
      const isLast = index === runs.length - 1;
      await session.send(run, { continues: index > 0, ...(isLast && { watermark: endLsn, final: true }) });
    }
    await expect(setup.apply()).rejects.toEqual(new ExactRestartNeeded(commitLsn));
    expect(await setup.target.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 20 }]);
    expect(await setup.apply({ exactCommitLsn: commitLsn })).toBe('final');
    await expectSameRows(setup.source, setup.target);
  });

  it('moves the checkpoint over WAL without changes', async () => {
    await using setup = await Setup.create(TABLE);
    const session = new Session(await setup.publisher(), ZERO_LSN);
    await session.send(Buffer.alloc(0), { watermark: 0x1234n as Lsn, final: true });
    expect(await setup.apply()).toBe('final');
    expect(await setup.target.query('SELECT lsn::text FROM sluice.checkpoint')).toEqual([{ lsn: '0/1234' }]);
  });
});
