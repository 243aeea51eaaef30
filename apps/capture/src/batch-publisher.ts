import { type Deferred, deferred } from '@sluice/kernel';
import { type ChangePublisher } from '@sluice/messaging';
import { type Lsn, type SourceIdentity } from '@sluice/model';
import { killPoint } from '@sluice/service-runtime';
import { type Batch, batchHeaders } from './batch.js';

export interface BatchPublisherOptions {
  readonly session: string;
  /** What the slot had confirmed when the session began. */
  readonly slotLsn: Lsn;
  readonly source: SourceIdentity | null;
  /** Now, on the source's clock. */
  readonly sourceNowMs: () => number | null;
  /** Bytes that may be under way to the bus before reading stops (I7). */
  readonly windowBytes: number;
  /** A batch is on the bus's disk, and all before it. */
  readonly onStored: (batch: Batch) => void;
}

/** What a message costs beside its payload, roughly; it bounds the number of empty ones under way. */
const MESSAGE_OVERHEAD_BYTES = 1024;
/** Below so many batches under way a new one leaves at once; from there on changes gather, as the bus is busy anyway. */
const FREE_BATCHES_MAX = 2;

/**
 * Numbers the batches of a session and keeps several under way.
 *
 * Maintained invariant: ordinals follow the order of the calls, and `onStored` is called in that order; after the first
 * failure nothing more is stored by this publisher.
 */
export class BatchPublisher {
  readonly #publisher: Pick<ChangePublisher, 'publish'>;
  readonly #options: BatchPublisherOptions;
  readonly #failed: Deferred<never> = deferred();
  #nextOrdinal = 0;
  #underWayBytes = 0;
  #underWayCount = 0;

  constructor(publisher: Pick<ChangePublisher, 'publish'>, options: BatchPublisherOptions) {
    this.#publisher = publisher;
    this.#options = options;
    this.#failed.promise.catch(() => undefined);
  }

  /** Rejects when a batch could not be stored: the session is over. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** The window is used up: stop reading. */
  get isFull(): boolean {
    return this.#underWayBytes >= this.#options.windowBytes;
  }

  /** Half of the window is free again: go on reading. */
  get hasRoom(): boolean {
    return this.#underWayBytes * 2 <= this.#options.windowBytes;
  }

  /** Everything is on the bus. */
  get isEmpty(): boolean {
    return this.#underWayCount === 0;
  }

  /** Nothing is gained by waiting for more changes. */
  get isIdle(): boolean {
    return this.#underWayCount < FREE_BATCHES_MAX;
  }

  publish(batch: Batch): void {
    const { session, slotLsn, source, sourceNowMs } = this.#options;
    const context = { session, slotLsn, source, capturedAtMs: sourceNowMs(), ordinal: this.#nextOrdinal };
    const headers = batchHeaders(batch, context);
    this.#nextOrdinal += 1;
    this.#underWayBytes += batch.payload.length + MESSAGE_OVERHEAD_BYTES;
    this.#underWayCount += 1;
    killPoint('capture-before-publish');
    this.#publisher.publish(batch.payload, headers).then(
      () => this.#onStored(batch),
      (error: Error) => this.#failed.reject(error),
    );
  }

  #onStored(batch: Batch): void {
    killPoint('capture-after-publish-ack');
    this.#underWayBytes -= batch.payload.length + MESSAGE_OVERHEAD_BYTES;
    this.#underWayCount -= 1;
    batch.release();
    try {
      this.#options.onStored(batch);
    } catch (error) {
      this.#failed.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
