import { SluiceError, type SlotHealth, type TaskSpec } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import {
  addRetentionSample,
  formatLsn,
  judgeObjects,
  type Lsn,
  type RetentionSample,
  secondsUntilSlotLost,
} from '@sluice/model';
import { type SequenceState, SequenceLooks } from '@sluice/postgres-catalog';
import { type Client, connect, type Endpoint } from '@sluice/postgres-client';
import { type ExistingSlot, readSourceFacts, requireSlot, type SourceFacts } from '@sluice/postgres-replication';
import { type Logger } from '@sluice/telemetry';
import { Coverage } from './coverage.js';
import { type IdleSight, isHeartbeatDue, sendHeartbeat } from './heartbeat.js';
import { type SourceClock } from './source-clock.js';

/** A session that is needed again sooner than this is kept. */
const KEEP_SESSION_MS = 5_000;
/** A look waits for no one: who holds a lock on a sequence or a catalog has more important things to do. */
const SETTINGS = { lock_timeout: '1000', search_path: '' };
const APPLICATION_NAME = 'capture watch';
/** Looks are short; a source that does not answer is looked at again on another session. */
const QUERY_TIMEOUT_MS = 30_000;
const SESSION = { applicationName: APPLICATION_NAME, settings: SETTINGS, queryTimeoutMs: QUERY_TIMEOUT_MS };

export interface Sight {
  readonly slot: ExistingSlot;
  readonly facts: SourceFacts;
  readonly health: SlotHealth;
}

export interface WatchOptions {
  readonly intervalMs: number;
  /** 0: never. */
  readonly sequenceIntervalMs: number;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  readonly onSight: (sight: Sight) => void;
  readonly onSequences: (states: readonly SequenceState[]) => void;
  /** What the stream does meanwhile. */
  readonly stream: () => Pick<IdleSight, 'transactionCount' | 'isOutstanding'>;
}

/**
 * Everything that is looked at on the source beside its stream of changes: whether all tables are published, the slot,
 * where WAL ends and how much of it is kept, the clock, which server it is, the sequences that moved.
 *
 * Maintained invariant: what makes the task fail (4001, 4003, 4005, 4006, 4008) is thrown and nothing else is; a look that could
 * not be made is repeated, as changes may flow all the same.
 */
export class SourceWatch {
  readonly #source: Endpoint;
  readonly #task: TaskSpec;
  readonly #clock: SourceClock;
  readonly #coverage: Coverage;
  readonly #sequences: SequenceLooks;
  #samples: readonly RetentionSample[] = [];
  #first: SourceFacts | null = null;
  #idle: IdleSight | null = null;
  #heartbeatCount = 0;

  constructor(source: Endpoint, task: TaskSpec, clock: SourceClock) {
    this.#source = source;
    this.#task = task;
    this.#clock = clock;
    this.#coverage = new Coverage(task);
    this.#sequences = new SequenceLooks({
      judge: judgeObjects(task.objects),
      publicationName: task.publicationName,
    });
  }

  /** Heartbeats that were sent. */
  get heartbeatCount(): number {
    return this.#heartbeatCount;
  }

  /** One look. @throws SluiceError what was found. */
  async look(client: Client): Promise<Sight> {
    const facts = await readSourceFacts(client);
    this.#clock.adjust(facts.clockOffsetMs);
    this.#requireSameServer(facts);
    const slot = await requireSlot(client, this.#task.slotName);
    await this.#coverage.check(client);
    return { slot, facts, health: this.#healthOf(slot, facts.walEndLsn) };
  }

  /** The same on a session of its own. @throws SluiceError also 1xxx. */
  async lookOnce(): Promise<Sight> {
    await using client = await connect(this.#source, SESSION);
    // Awaited, or the session would be closed under it.
    return await this.look(client);
  }

  /** Looks again and again. Rejects with what a look has found. */
  async watch(options: WatchOptions): Promise<never> {
    const { intervalMs, sequenceIntervalMs, signal } = options;
    await using session = new KeptSession(this.#source);
    // Tasks that start together need not look together.
    const startMs = performance.now();
    let lookAt = startMs + Math.random() * intervalMs;
    let sequencesAt = sequenceIntervalMs === 0 ? Infinity : startMs;
    for (;;) {
      const dueAt = Math.min(lookAt, sequencesAt);
      await delay(Math.max(0, dueAt - performance.now()), signal);
      const isLookDue = lookAt === dueAt;
      try {
        const client = await session.open();
        if (isLookDue) await this.#lookAndBeat(client, options);
        else options.onSequences(await this.#sequences.look(client));
      } catch (error) {
        if (isFinding(error)) throw error;
        await session.close();
        signal.throwIfAborted();
        options.log.warn({ err: error }, 'could not look at the source');
      }
      if (isLookDue) lookAt = performance.now() + intervalMs;
      else sequencesAt = performance.now() + sequenceIntervalMs;
      if (Math.min(lookAt, sequencesAt) - performance.now() >= KEEP_SESSION_MS) await session.close();
    }
  }

  async #lookAndBeat(client: Client, { onSight, stream, log }: WatchOptions): Promise<void> {
    const sight = await this.look(client);
    onSight(sight);
    const { walEndLsn } = sight.facts;
    const idle: IdleSight = { walEndLsn, slotConfirmedLsn: sight.slot.confirmedFlushLsn, ...stream() };
    const before = this.#idle;
    this.#idle = idle;
    if (!before || !isHeartbeatDue(before, idle)) return;
    await sendHeartbeat(client);
    this.#heartbeatCount += 1;
    log.info({ lsn: formatLsn(walEndLsn) }, 'an idle source was made to move its slot');
  }

  /** The stream goes on with the server that it began with; whoever connects now must not take another one for it. */
  #requireSameServer(facts: SourceFacts): void {
    const first = (this.#first ??= facts);
    if (facts.systemId === first.systemId && facts.timeline === first.timeline) return;
    throw new SluiceError('SLUICE-1012', {
      detail: 'another server answers at the address of the source',
      cause: MOVED,
    });
  }

  #healthOf(slot: ExistingSlot, walEndLsn: Lsn): SlotHealth {
    const { retainedBytes, safeBytes, restartLsn, walStatus } = slot;
    this.#samples = addRetentionSample(this.#samples, { atMs: performance.now(), retainedBytes });
    return {
      sourceLsn: formatLsn(walEndLsn),
      restartLsn: restartLsn === null ? null : formatLsn(restartLsn),
      walStatus,
      safeBytes,
      secondsLeft: secondsUntilSlotLost(this.#samples, safeBytes),
    };
  }
}

const MOVED = Symbol('another server');

/** Ends the session of capture: a person has to act, or the session that follows finds out which server it is. */
function isFinding(error: unknown): boolean {
  if (!(error instanceof SluiceError)) return false;
  // A login that was refused must not be tried at every look: that locks the account.
  const isRefused = error.code.startsWith('SLUICE-1') && error.spec.retry === 'manual';
  return isRefused || /^SLUICE-400[13568]$/.test(error.code) || error.cause === MOVED;
}

/** A session that is opened when it is needed and kept while the next need is near. */
class KeptSession implements AsyncDisposable {
  readonly #source: Endpoint;
  #client: Client | null = null;

  constructor(source: Endpoint) {
    this.#source = source;
  }

  async open(): Promise<Client> {
    this.#client ??= await connect(this.#source, SESSION);
    return this.#client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await Promise.resolve(client?.[Symbol.asyncDispose]()).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
