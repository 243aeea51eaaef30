import { randomBytes } from 'node:crypto';
import { headers as newHeaders, type MsgHdrs } from '@nats-io/nats-core';
import { type SluiceError, taskChanges, type TaskId } from '@sluice/contracts';
import { backoffDelayMs, delay, type Deferred, deferred } from '@sluice/kernel';
import { type Bus } from './bus.js';
import { busUnavailable, hasJsError, isNoResponders, JS_ERROR } from './bus-error.js';
import { ChangeStreamMissingError, PublisherFencedError, PublishUncertainError } from './change-stream-errors.js';

export interface StoredBatch {
  readonly sequence: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer that takes longer than this does not come any more. */
const PUBLISH_TIMEOUT_MS = 15_000;
/** How soon a full stream is tried again: soon, as every ack makes room. */
const FULL_BACKOFF = { baseMs: 20, capMs: 1_000 };

interface PendingBatch {
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly stored: Deferred<{ sequence: number }>;
}

/** Opens the stream for writing behind its last message. @throws ChangeStreamMissingError */
export async function openChangePublisher(
  bus: Bus,
  taskId: TaskId,
  { signal }: { readonly signal?: AbortSignal },
): Promise<ChangePublisher> {
  const stream = taskChanges.streamName({ taskId });
  try {
    const { state } = await bus.manager.streams.info(stream);
    return new ChangePublisher(bus, { taskId, lastSequence: state.last_seq, ...(signal && { signal }) });
  } catch (error) {
    if (hasJsError(error, JS_ERROR.streamNotFound))
      throw new ChangeStreamMissingError(`${stream} does not exist`, error);
    throw busUnavailable(`open ${stream}`, error);
  }
}

/**
 * Writes batches to a task's change stream, several under way at once, stored in the order of the calls.
 *
 * Maintained invariant: every publish names the sequence and, but for the first, the id of the message that it expects to
 * follow, so that the stream holds what this publisher wrote without a gap and without anything of another publisher in
 * between. (The sequence alone is not enough: what another one wrote in the place of a refused batch has the sequence
 * that the batch behind it expects.) When one is refused, the server
 * refuses all that were sent behind it; a full stream is waited for and they are sent again in order, anything else ends the publisher.
 */
export class ChangePublisher implements Disposable {
  readonly #bus: Bus;
  readonly #taskId: TaskId;
  readonly #subject: string;
  readonly #closing = new AbortController();
  readonly #forgetDisconnect: () => void;
  /** Not confirmed yet, oldest first; sequences `#firstSequence`, `#firstSequence + 1` … */
  readonly #pending: PendingBatch[] = [];
  #firstSequence: number;
  readonly #openedAt: number;
  readonly #id = randomBytes(6).toString('hex');
  /** How many of `#pending` are sent. */
  #sentCount = 0;
  /** Sent and not answered: a new round may begin only at 0, or answers of the old one would be mistaken for its own. */
  #unansweredCount = 0;
  #isRefused = false;
  #fullAttempts = 0;
  #failure: SluiceError | null = null;

  constructor(bus: Bus, options: { taskId: TaskId; lastSequence: number; signal?: AbortSignal }) {
    this.#bus = bus;
    this.#taskId = options.taskId;
    this.#subject = taskChanges.format({ taskId: options.taskId });
    this.#openedAt = options.lastSequence;
    this.#firstSequence = options.lastSequence + 1;
    // What is under way when the connection breaks may or may not arrive.
    this.#forgetDisconnect = bus.on('disconnect', () =>
      this.#fail(new PublishUncertainError(`connection lost while publishing to ${this.#subject}`)),
    );
    options.signal?.addEventListener('abort', () => this[Symbol.dispose](), { once: true });
  }

  /** True while the stream is full and this publisher waits for room. */
  get isStreamFull(): boolean {
    return this.#fullAttempts > 0;
  }

  /** The stream's last batch that is not acked yet, or null. */
  async lastMessage(): Promise<StoredBatch | null> {
    const stream = taskChanges.streamName({ taskId: this.#taskId });
    try {
      const message = await this.#bus.manager.streams.getMessage(stream, { last_by_subj: this.#subject });
      return message && { sequence: message.seq, headers: headersOf(message.header) };
    } catch (error) {
      if (hasJsError(error, JS_ERROR.messageNotFound)) return null;
      throw busUnavailable(`last message of ${stream}`, error);
    }
  }

  /**
   * Stores a batch; resolves when it is on the server's disk. The caller bounds how many it has under way, and must not
   * reuse `payload` before. A rejection means that this publisher is of no use any more.
   */
  publish(payload: Uint8Array, headers: Readonly<Record<string, string>>): Promise<{ sequence: number }> {
    if (this.#failure) return Promise.reject(this.#failure);
    const batch: PendingBatch = { payload, headers, stored: deferred() };
    this.#pending.push(batch);
    this.#sendWaiting();
    return batch.stored.promise;
  }

  [Symbol.dispose](): void {
    this.#fail(new PublishUncertainError(`publisher of ${this.#subject} was closed`));
  }

  #sendWaiting(): void {
    if (this.#isRefused) return;
    while (this.#sentCount < this.#pending.length) {
      const batch = this.#pending[this.#sentCount];
      if (!batch) return;
      const sequence = this.#firstSequence + this.#sentCount;
      this.#sentCount += 1;
      this.#unansweredCount += 1;
      void this.#send(batch, sequence);
      // After a refusal one batch tests whether there is room again, the others wait for its answer.
      if (this.#fullAttempts > 0) return;
    }
  }

  async #send(batch: PendingBatch, sequence: number): Promise<void> {
    try {
      const ack = await this.#bus.jetstream.publish(this.#subject, batch.payload, {
        headers: toHeaders(batch.headers),
        msgID: this.#messageId(sequence),
        expect: {
          lastSequence: sequence - 1,
          ...(sequence - 1 > this.#openedAt && { lastMsgID: this.#messageId(sequence - 1) }),
        },
        timeout: PUBLISH_TIMEOUT_MS,
      });
      this.#unansweredCount -= 1;
      this.#onStored(ack.seq, sequence);
    } catch (error) {
      this.#unansweredCount -= 1;
      this.#onRefused(error, sequence);
    }
    if (this.#isRefused && this.#unansweredCount === 0) await this.#startOver();
  }

  #messageId(sequence: number): string {
    return `${this.#id}:${sequence}`;
  }

  #onStored(stored: number, expected: number): void {
    if (this.#failure) return;
    if (stored !== expected || expected !== this.#firstSequence) {
      this.#fail(new PublisherFencedError(`${this.#subject} stored ${stored} where ${expected} was expected`));
      return;
    }
    const batch = this.#pending.shift();
    this.#firstSequence += 1;
    this.#sentCount -= 1;
    this.#fullAttempts = 0;
    batch?.stored.resolve({ sequence: stored });
    this.#sendWaiting();
  }

  #onRefused(error: unknown, sequence: number): void {
    if (this.#failure) return;
    if (isFull(error)) {
      this.#isRefused = true;
    } else if (hasJsError(error, JS_ERROR.wrongLastSequence, JS_ERROR.wrongLastMessageId)) {
      // Behind a batch that found the stream full this is expected; as the first refusal it means another writer.
      if (!this.#isRefused)
        this.#fail(new PublisherFencedError(`another publisher wrote to ${this.#subject} before ${sequence}`, error));
    } else if (isNoResponders(error)) {
      this.#fail(new ChangeStreamMissingError(`no stream takes ${this.#subject}`, error));
    } else {
      this.#fail(new PublishUncertainError(`no answer for ${sequence} on ${this.#subject}`, error));
    }
  }

  /** Waits for room, then sends everything that was refused again, in order. */
  async #startOver(): Promise<void> {
    const waitMs = backoffDelayMs(this.#fullAttempts, FULL_BACKOFF);
    this.#fullAttempts += 1;
    await delay(waitMs, this.#closing.signal).catch(() => undefined);
    if (this.#failure) return;
    this.#isRefused = false;
    this.#sentCount = 0;
    this.#sendWaiting();
  }

  #fail(error: SluiceError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#forgetDisconnect();
    this.#closing.abort();
    for (const { stored } of this.#pending.splice(0)) {
      // The caller may look at the first failure only.
      stored.promise.catch(() => undefined);
      stored.reject(error);
    }
  }
}

/** nats-server 2.9–2.12 answer 10077 "maximum bytes exceeded" or "maximum messages exceeded"; 10023 and 10047 when the disk's budget is used up. */
function isFull(error: unknown): boolean {
  if (hasJsError(error, JS_ERROR.insufficientResources, JS_ERROR.storageResourcesExceeded)) return true;
  return (
    hasJsError(error, JS_ERROR.streamStoreFailed) &&
    error instanceof Error &&
    /maximum \w+ exceeded/.test(error.message)
  );
}

function toHeaders(record: Readonly<Record<string, string>>): MsgHdrs {
  const result = newHeaders();
  for (const [name, value] of Object.entries(record)) result.set(name, value);
  return result;
}

export function headersOf(messageHeaders: MsgHdrs | undefined): Record<string, string> {
  if (!messageHeaders) return {};
  return Object.fromEntries(messageHeaders.keys().map((name) => [name, messageHeaders.get(name)]));
}
