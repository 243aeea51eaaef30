import { type ConflictAction, type ConflictPolicy } from '@sluice/contracts';
import { assert } from '@sluice/kernel';
import { type Client } from '@sluice/postgres-client';
import { changeFailed, isRowError, targetError } from './apply-failure.js';
import { journal, type JournalEntry } from './conflict-journal.js';
import { ConflictResolver } from './conflict-resolver.js';
import { ChangeFailed, type ExactChange } from './exact-change.js';
import { type StatementFailure, type TargetPipeline } from './target-pipeline.js';

/** Changes between two savepoints: enough to make the round trip small, few enough to repeat when one does not fit. */
const SEGMENT_CHANGES_MAX = 256;
/** A segment ends earlier when so much of it is on its way (I7). */
const SEGMENT_BYTES_MAX = 8 * 1024 * 1024;
/** Rows that equal another in a deferrable key are looked for in the end; of those written so far, only the ones that do now are kept beyond this many. */
const DEFERRED_MAX = 1_000;

/** Conflicts by what was done about them. */
export type ConflictCounts = Record<Exclude<ConflictAction, 'stopped'>, number>;

export interface ExactWriterOptions {
  readonly client: Client;
  readonly pipeline: TargetPipeline;
  readonly policy: ConflictPolicy;
  readonly writer: { readonly taskId: string; readonly epoch: bigint };
}

/**
 * Writes changes one by one in the source's order, many on their way at a time. A savepoint stands before each run of
 * them: when one does not fit, the run is undone, those before it are written again, and it is resolved by itself.
 * Runs grow again while all goes well.
 */
export class ExactWriter {
  readonly #options: ExactWriterOptions;
  readonly #resolver: ConflictResolver;
  readonly #counts: ConflictCounts = { ignored: 0, overwritten: 0 };
  #waiting: ExactChange[] = [];
  #segmentChanges = SEGMENT_CHANGES_MAX;
  #deferred: ExactChange[] = [];

  constructor(options: ExactWriterOptions) {
    this.#options = options;
    const { client, policy } = options;
    this.#resolver = new ConflictResolver({ client, policy, attempt: (change) => this.#attempt(change) });
  }

  /** In the open transaction. */
  get counts(): Readonly<ConflictCounts> {
    return this.#counts;
  }

  get isFull(): boolean {
    return this.#waiting.length >= SEGMENT_CHANGES_MAX;
  }

  add(change: ExactChange): void {
    this.#waiting.push(change);
  }

  /** Everything that was added is on the target afterwards, or resolved. @throws ConflictStop, SluiceError */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const { count, failed } = await this.#writeSegment();
      if (failed) {
        const index = this.#waiting.indexOf(failed.change);
        // Else those before it are written once more, then it alone.
        if (index === 0) {
          await this.#resolve(failed);
          this.#waiting.shift();
        }
        this.#segmentChanges = Math.max(1, index);
      } else {
        await this.#keepDeferred(this.#waiting.splice(0, count));
        this.#segmentChanges = Math.min(this.#segmentChanges * 2, SEGMENT_CHANGES_MAX);
      }
      this.#send('RELEASE SAVEPOINT sluice_segment');
    }
  }

  /** The source transaction is written completely: what it says about deferrable keys must hold now. */
  async complete(): Promise<void> {
    await this.flush();
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const change of deferred) await this.#journal(await this.#resolver.resolveLater(change));
  }

  /** Sends the next changes behind a savepoint and waits. When one fails nothing of them is left, and the savepoint stays. */
  async #writeSegment(): Promise<{ count: number; failed: ChangeFailed | null }> {
    const { pipeline } = this.#options;
    let count = 0;
    this.#send('SAVEPOINT sluice_segment');
    while (count < this.#segmentChanges && pipeline.bytesInFlight < SEGMENT_BYTES_MAX) {
      const change = this.#waiting[count];
      if (!change) break;
      this.#sendChange(change);
      count += 1;
    }
    return { count, failed: await this.#settle('sluice_segment') };
  }

  async #resolve({ change, failure }: ChangeFailed): Promise<void> {
    const entries = await this.#resolver.resolve(change, failure);
    await this.#journal(entries);
    if (entries.some(({ action }) => action === 'overwritten')) await this.#keepDeferred([change]);
  }

  /** For the resolver: what it did before stays when the change fails again. */
  async #attempt(change: ExactChange): Promise<StatementFailure | null> {
    this.#send('SAVEPOINT sluice_attempt');
    this.#sendChange(change);
    const failed = await this.#settle('sluice_attempt');
    return failed?.failure ?? null;
  }

  /** Waits; a change that failed is undone together with what was sent behind the savepoint. */
  async #settle(savepoint: string): Promise<ChangeFailed | null> {
    const { pipeline, client } = this.#options;
    try {
      await pipeline.settle();
      return null;
    } catch (error) {
      if (!(error instanceof ChangeFailed)) throw error;
      const { change, failure } = error;
      const { plan } = change.table;
      // A lost connection, a deadlock, a full disk: the row has no part in it.
      if (failure.kind === 'server' && !isRowError(failure.error))
        throw changeFailed({ plan, operation: change.operation, key: null }, failure);
      await client.query(`ROLLBACK TO SAVEPOINT ${savepoint}`);
      return error;
    }
  }

  async #journal(entries: readonly JournalEntry[]): Promise<void> {
    const { client, writer } = this.#options;
    await journal(client, writer, entries);
    for (const { action } of entries) {
      assert(action !== 'stopped', 'a conflict that stops the task is not journaled with its rows');
      this.#counts[action] += 1;
    }
  }

  async #keepDeferred(changes: readonly ExactChange[]): Promise<void> {
    for (const change of changes)
      if (change.table.hasDeferrableKeys && change.operation !== 'delete') this.#deferred.push(change);
    if (this.#deferred.length < DEFERRED_MAX) return;
    // A row that equals one of them later is written later, and then kept itself.
    const kept: ExactChange[] = [];
    for (const change of this.#deferred) if (await this.#resolver.isInTheWayNow(change)) kept.push(change);
    this.#deferred = kept;
  }

  #sendChange(change: ExactChange): void {
    change.table.rows.send(change, (failure) => new ChangeFailed(change, failure));
  }

  #send(text: string): void {
    this.#options.pipeline.send({
      text,
      values: [],
      expectedRows: null,
      onFailure: (failure) => (failure.kind === 'server' ? targetError(failure.error, text) : new Error(text)),
    });
  }
}
