import { SluiceError, type TaskSpec } from '@sluice/contracts';
import { backoffDelayMs, deferred, type Deferred, delay, isAbort } from '@sluice/kernel';
import { formatLsn, type Lsn } from '@sluice/model';
import { type Client, type Endpoint, hasSqlState, isConnectionLoss, SQLSTATE } from '@sluice/postgres-client';
import {
  connectSource,
  connectTarget,
  copyAdopted,
  type HeldSnapshot,
  holdSlotSnapshot,
  publishForAdoption,
} from '@sluice/postgres-snapshot';
import { type ExecutedDdl, runPostponed, type TargetSession } from '@sluice/postgres-writer';
import { type Logger } from '@sluice/telemetry';
import { logExecuted } from './follow-ddl.js';

export interface TableAdoptionOptions {
  readonly task: TaskSpec;
  readonly source: Endpoint;
  readonly target: Endpoint;
  readonly session: Pick<TargetSession, 'pending' | 'epoch'>;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly killPoint: (name: string) => void;
  /** The tables cannot join, and another try would not help. */
  readonly onFailure: () => void;
}

/** How long a slot waits for each transaction that writes on the source. */
const SLOT_LOCK_TIMEOUT_MS = 10_000;
/** How long nothing is written while a snapshot is made; a transaction of the source that takes longer is waited for beside the stream. */
const HOLD_BACK_MS = 5_000;
/** With the pauses between them some minutes: a transaction that runs on the source for longer is a person's matter. */
const TRIES_MAX = 12;
const RETRY = { baseMs: 500, capMs: 60_000 };

/** A snapshot that waits for the stream to come to it. */
interface Ready {
  readonly held: HeldSnapshot;
  readonly joinLsn: Lsn;
  readonly oids: readonly number[];
  readonly outcome: Deferred<Outcome>;
}

type Outcome =
  { readonly kind: 'joined' } | { readonly kind: 'again' } | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Brings the rows of tables that are new, or were rewritten on the source: publishes them, makes a snapshot of them, and
 * copies them at the moment when the stream of changes stands exactly where the snapshot does.
 *
 * Maintained invariant: the copy is as of a position below which everything is applied, and above which nothing of these
 * tables is; so no change is missing in them or applied twice, and a reader finds them empty or as of a moment of all.
 */
export class TableAdoption implements AsyncDisposable {
  readonly #options: TableAdoptionOptions;
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal;
  readonly #working: Promise<void>;
  #wake: Deferred<void> = deferred();
  #ready: Ready | null = null;
  /** While it is there no transaction is written. */
  #gate: Deferred<void> | null = null;
  #gateTimer: NodeJS.Timeout | null = null;
  /** The gate was opened before there was a snapshot. */
  #heldBackInVain = false;
  #failure: SluiceError | null = null;

  constructor(options: TableAdoptionOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stopping.signal]);
    this.#signal.addEventListener('abort', () => this.#openGate(), { once: true });
    this.#working = this.#work().catch((error: unknown) => {
      if (isAbort(error) || this.#signal.aborted) return;
      this.#failure = asFailure(error, this.#names());
      options.onFailure();
    });
  }

  /** Where the stream has to stand for `join`; `null` when nothing is to be copied now. */
  get joinLsn(): Lsn | null {
    return this.#ready?.joinLsn ?? null;
  }

  get failure(): SluiceError | null {
    return this.#failure;
  }

  /** Resolves when a transaction may be written. */
  async gate(): Promise<void> {
    await this.#gate?.promise;
  }

  /** A transaction was written: it may have made tables pending. */
  look(): void {
    if (this.#options.session.pending.tables.length > 0) this.#wake.resolve();
  }

  /**
   * To be called when everything that commits below `joinLsn` is applied, before anything else is. What it cannot copy now
   * is tried again later. @throws SluiceError 1012 when the target may have them or not: only a new session knows.
   */
  async join(): Promise<void> {
    const ready = this.#ready;
    if (!ready) return;
    this.#ready = null;
    ready.outcome.resolve(await this.#copy(ready));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new DOMException('the run is over', 'AbortError'));
    await this.#working;
  }

  async #work(): Promise<void> {
    const { pending } = this.#options.session;
    this.look();
    let wasPassed = false;
    for (let tries = 0; ;) {
      await this.#untilWoken();
      this.#wake = deferred();
      if (pending.tables.length === 0) continue;
      const outcome = this.#judge(await this.#attempt(wasPassed));
      wasPassed = outcome.kind === 'again';
      if (outcome.kind === 'joined') {
        tries = 0;
        this.look();
        continue;
      }
      if (outcome.kind === 'failed') tries += 1;
      this.#signal.throwIfAborted();
      if (outcome.kind === 'failed' && (tries >= TRIES_MAX || isFinal(outcome.error))) throw outcome.error;
      if (outcome.kind === 'failed') {
        this.#options.log.warn({ err: outcome.error, tables: this.#names() }, 'tables could not join yet');
        await delay(backoffDelayMs(tries, RETRY), this.#signal);
      }
      this.look();
    }
  }

  /** Without a pause the stream would stand still again at once. */
  #judge(outcome: Outcome): Outcome {
    if (outcome.kind !== 'again' || !this.#heldBackInVain) return outcome;
    const detail = `no snapshot could be made within ${HOLD_BACK_MS} ms, for transactions that write on the source`;
    return { kind: 'failed', error: new SluiceError('SLUICE-3005', { detail }) };
  }

  async #untilWoken(): Promise<void> {
    // It may be over since the last attempt; whoever listens now would not hear of it.
    this.#signal.throwIfAborted();
    const stopped = deferred<void>();
    const stop = (): void => stopped.resolve();
    this.#signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.#wake.promise, stopped.promise]);
    this.#signal.removeEventListener('abort', stop);
    this.#signal.throwIfAborted();
  }

  /**
   * @param holdsBack nothing is written while the slot is made, for a while. A stream that is followed closely could pass the snapshot
   * before it is known, each time anew.
   */
  async #attempt(holdsBack: boolean): Promise<Outcome> {
    const { source: endpoint, task, session, log } = this.#options;
    const oids = session.pending.tables.map(({ oid }) => oid);
    this.#heldBackInVain = false;
    try {
      await using source = await connectSource(endpoint, { applicationName: `adopt ${task.taskId}` });
      await publishForAdoption(source, task.publicationName, oids);
      if (holdsBack) this.#closeGate();
      await using held = await this.#snapshot(source);
      const joinLsn = held.consistentLsn;
      if (joinLsn === null) throw new SluiceError('SLUICE-3005', { detail: 'the snapshot has no position' });
      const ready: Ready = { held, joinLsn, oids, outcome: deferred() };
      this.#ready = ready;
      this.#openGate();
      log.info({ lsn: formatLsn(joinLsn), tables: this.#names() }, 'tables join when the stream comes to');
      const lost = held.lost.then((): Outcome => ({ kind: 'failed', error: new Error('the snapshot was lost') }));
      return await Promise.race([ready.outcome.promise, lost, this.#stopped()]);
    } catch (error) {
      return { kind: 'failed', error };
    } finally {
      this.#ready = null;
      this.#openGate();
    }
  }

  #snapshot(source: Client): Promise<HeldSnapshot> {
    const { source: endpoint, task } = this.#options;
    return holdSlotSnapshot(endpoint, source, {
      slotName: `${task.slotName}_adopt`,
      isTemporary: true,
      lockTimeoutMs: SLOT_LOCK_TIMEOUT_MS,
    });
  }

  async #stopped(): Promise<Outcome> {
    const stopped = deferred<Outcome>();
    this.#signal.addEventListener('abort', () => stopped.resolve({ kind: 'again' }), { once: true });
    if (this.#signal.aborted) return { kind: 'again' };
    return stopped.promise;
  }

  async #copy({ held, joinLsn, oids }: Ready): Promise<Outcome> {
    const { source: sourceEndpoint, target: targetEndpoint, task, session, log, killPoint } = this.#options;
    // A change of these tables was left out, or a DDL executed, that the snapshot knows nothing of.
    if (session.pending.touchedLsn >= joinLsn) return { kind: 'again' };
    // The name of the writer's own session: whoever takes the task over ends both.
    const applicationName = `apply ${task.taskId}`;
    try {
      await using source = await connectSource(sourceEndpoint, { applicationName });
      await using target = await connectTarget(targetEndpoint, { applicationName });
      await target.query('SET session_replication_role = replica');
      const executed: ExecutedDdl[] = [];
      const { tables, rows, bytes } = await copyAdopted(
        { source, target },
        {
          taskId: task.taskId,
          epoch: session.epoch,
          snapshot: held,
          oids,
          signal: this.#signal,
          finish: async (session) => {
            executed.push(...(await runPostponed(session, { taskId: task.taskId, decisions: task.ddlDecisions })));
          },
          passing: (moment) => killPoint(`adoption-${moment}`),
        },
      );
      session.pending.joined(oids);
      const names = tables.map(({ schema, name }) => `${schema}.${name}`);
      log.info({ lsn: formatLsn(joinLsn), tables: names, rows, bytes }, 'tables joined');
      executed.forEach((ddl) => logExecuted(log, ddl));
      return { kind: 'joined' };
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'SLUICE-3003') return { kind: 'again' };
      // Order: before anything else is applied. What was left out meanwhile would be missing in tables that did join.
      if (error instanceof SluiceError && error.code === 'SLUICE-1012') throw error;
      return { kind: 'failed', error };
    }
  }

  #closeGate(): void {
    this.#gate = deferred();
    this.#gateTimer = setTimeout(() => {
      this.#heldBackInVain = true;
      this.#openGate();
    }, HOLD_BACK_MS);
  }

  #openGate(): void {
    if (this.#gateTimer) clearTimeout(this.#gateTimer);
    this.#gateTimer = null;
    this.#gate?.resolve();
    this.#gate = null;
  }

  #names(): string[] {
    return this.#options.session.pending.tables.map(({ schema, name }) => `${schema}.${name}`);
  }
}

/** A newer run has taken over, or a person decides on a DDL. */
const FINAL: readonly string[] = ['SLUICE-5004', 'SLUICE-5013'];

/** Only a person can give the right to publish a table, or to read it. */
function isFinal(error: unknown): boolean {
  if (error instanceof SluiceError) return FINAL.includes(error.code);
  return hasSqlState(error, SQLSTATE.insufficientPrivilege);
}

function asFailure(error: unknown, tables: readonly string[]): SluiceError {
  if (error instanceof SluiceError && (error.spec.retry === 'backoff' || FINAL.includes(error.code))) return error;
  const detail = error instanceof SluiceError ? error.detail : String(error instanceof Error ? error.message : error);
  if (isConnectionLoss(error)) return new SluiceError('SLUICE-1012', { detail, cause: error });
  return new SluiceError('SLUICE-5015', { detail: `${tables.join(', ')}: ${detail}`, cause: error });
}
