import { randomBytes } from 'node:crypto';
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos, type Subscription } from '@nats-io/nats-core';
import { CHANGE_BATCH_BYTES_MAX, type SluiceError, taskChanges, type TaskId } from '@sluice/contracts';
import { type Bus } from './bus.js';
import { busUnavailable, hasJsError, isNoResponders, JS_ERROR } from './bus-error.js';
import { parseAckSubject } from './ack-subject.js';
import { headersOf } from './change-publisher.js';
import { type OpenReaderOptions } from './change-streams.js';
import {
  ChangeStreamGapError,
  ChangeStreamMissingError,
  ReaderDisconnectedError,
  ReaderReplacedError,
} from './change-stream-errors.js';

export interface ChangeMessage {
  readonly sequence: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
  /** Messages of the stream that were not delivered yet when this one was. */
  readonly pendingCount: number;
}

const PREFETCH_BYTES_DEFAULT = 8 * 1024 * 1024;
/** Nothing is delivered twice within the life of a reader: a new reader makes a new consumer. */
const ACK_WAIT_MS = 24 * 3_600_000;
const PULL_EXPIRES_MS = 20_000;
/** A server that takes longer than that to work off acks loses them: what they removed comes again and is skipped. */
const ACKS_SETTLED_MS = 1_000;
/** The server speaks at least this often while a pull request waits. */
const IDLE_HEARTBEAT_MS = 1_000;
/** Silence of two heartbeats and a bit: look whether the consumer is still there. */
const SILENCE_MAX_MS = 2_500;
/** Openings that race each other end after a few rounds: everyone deletes, one creates. */
const CREATE_ATTEMPTS_MAX = 10;

const STATUS_HEARTBEAT = 100;
const STATUS_NO_RESPONDERS = 503;
const STATUS_CONFLICT = 409;

/** Deletes every consumer of the stream, which ends their readers, and makes one of its own. */
export async function openChangeReader(bus: Bus, taskId: TaskId, options: OpenReaderOptions): Promise<ChangeReader> {
  const stream = taskChanges.streamName({ taskId });
  const consumer = `apply_${randomBytes(6).toString('hex')}`;
  for (let attempt = 0; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      await deleteConsumers(bus, stream);
      await bus.manager.consumers.add(stream, {
        durable_name: consumer,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ACK_WAIT_MS),
        deliver_policy: DeliverPolicy.All,
        max_deliver: -1,
        max_ack_pending: -1,
        // What it knows is of no use to the next reader; acks remove messages from the stream itself.
        mem_storage: true,
      });
      return new ChangeReader(bus, { stream, consumer, ...options });
    } catch (error) {
      if (hasJsError(error, JS_ERROR.streamNotFound))
        throw new ChangeStreamMissingError(`${stream} does not exist`, error);
      const isRace = hasJsError(error, JS_ERROR.workQueueConsumerNotUnique, JS_ERROR.workQueueMultipleUnfiltered);
      if (!isRace || attempt + 1 >= CREATE_ATTEMPTS_MAX) throw busUnavailable(`open ${stream}`, error);
    }
  }
}

async function deleteConsumers(bus: Bus, stream: string): Promise<void> {
  for await (const { name } of bus.manager.consumers.list(stream)) {
    await bus.manager.consumers.delete(stream, name).catch((error: unknown) => {
      if (!hasJsError(error, JS_ERROR.consumerNotFound)) throw error;
    });
  }
}

interface ReaderOptions extends OpenReaderOptions {
  readonly stream: string;
  readonly consumer: string;
}

/**
 * Reads a change stream from its first message that is not acked, in order.
 *
 * Maintained invariant: sequences are contiguous. Any doubt — a gap, a lost connection, a deleted consumer — ends the
 * reader with a typed error; whoever goes on opens a new one, which begins again at the first message that is not acked.
 */
export class ChangeReader implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #options: ReaderOptions;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #prefetchMax: number;
  readonly #cleanups: (() => void)[] = [];
  #queue: ChangeMessage[] = [];
  /** Reply subjects of what was delivered and not acked, oldest first; acked from `#unackedHead` on. */
  #unacked: { readonly sequence: number; readonly reply: string }[] = [];
  /** Messages that the open pull request still may deliver. */
  #requestedCount = 0;
  #lastSequence: number | null = null;
  #heardAt = performance.now();
  #failure: SluiceError | null = null;
  /** The server has worked off all acks so far. Never rejects. */
  #acksSettled: Promise<void> = Promise.resolve();
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(bus: Bus, options: ReaderOptions) {
    this.#bus = bus;
    this.#options = options;
    const prefetchBytes = options.prefetchBytes ?? PREFETCH_BYTES_DEFAULT;
    this.#prefetchMax = Math.max(2, Math.ceil(prefetchBytes / CHANGE_BATCH_BYTES_MAX));
    this.#subscription = bus.connection.subscribe(this.#inbox, { callback: (_, message) => this.#onMessage(message) });
    const timer = setInterval(() => void this.#checkSilence(), IDLE_HEARTBEAT_MS);
    const onAbort = (): void => void this[Symbol.asyncDispose]();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#cleanups.push(
      () => clearInterval(timer),
      () => options.signal?.removeEventListener('abort', onAbort),
      // What the server sent into the broken connection is counted as delivered and does not come again to this consumer.
      bus.on('disconnect', () =>
        this.#fail(new ReaderDisconnectedError(`connection lost while reading ${options.stream}`)),
      ),
    );
    this.#pullMore();
  }

  /** Delivered to the caller or waiting here, and not acked. */
  get unackedCount(): number {
    return this.#unacked.length;
  }

  /** The next message without waiting, or undefined. */
  tryNext(): ChangeMessage | undefined {
    if (this.#failure) throw this.#failure;
    const message = this.#queue.shift();
    if (message) this.#pullMore();
    return message;
  }

  /** The next message; `null` when none came within `timeoutMs` (for ever when absent) or the reader was closed. */
  async next(timeoutMs?: number): Promise<ChangeMessage | null> {
    const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    for (;;) {
      const message = this.tryNext();
      if (message) return message;
      const leftMs = deadline - performance.now();
      if (this.#isClosed || leftMs <= 0) return null;
      await this.#whenWoken(leftMs);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChangeMessage, void, undefined> {
    for (let message = await this.next(); message; message = await this.next()) yield message;
  }

  /** Removes every delivered message up to and including `sequence` from the stream. Not awaited: a lost ack is repeated by the next reader's skipping. */
  ackThrough(sequence: number): void {
    if (this.#failure || this.#bus.connection.isClosed()) return;
    let count = 0;
    while ((this.#unacked[count]?.sequence ?? Infinity) <= sequence) count += 1;
    const acked = this.#unacked.splice(0, count);
    const last = acked.pop();
    if (!last) return;
    const { connection } = this.#bus;
    for (const delivered of acked) connection.publish(delivered.reply, '+ACK');
    this.#acksSettled = connection.request(last.reply, '+ACK', { timeout: ACKS_SETTLED_MS }).then(
      () => undefined,
      () => undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
    // Best effort: the next reader deletes it anyway.
    if (!this.#bus.isConnected || this.#failure) return;
    // Order: the server works off acks beside its other orders; those that it has not come to are lost with the consumer.
    await this.#acksSettled;
    await this.#bus.manager.consumers.delete(this.#options.stream, this.#options.consumer).catch(() => undefined);
  }

  #onMessage(message: Msg): void {
    if (this.#failure || this.#isClosed) return;
    this.#heardAt = performance.now();
    const status = message.headers?.code ?? 0;
    if (status !== 0) {
      this.#onStatus(status, message);
      return;
    }
    const reply = message.reply ?? '';
    const { streamSequence, pendingCount } = parseAckSubject(reply);
    if (this.#lastSequence !== null && streamSequence !== this.#lastSequence + 1) {
      this.#fail(
        new ChangeStreamGapError(`${this.#options.stream}: ${streamSequence} came after ${this.#lastSequence}`),
      );
      return;
    }
    this.#lastSequence = streamSequence;
    this.#requestedCount -= 1;
    this.#unacked.push({ sequence: streamSequence, reply });
    this.#queue.push({
      sequence: streamSequence,
      headers: headersOf(message.headers),
      payload: message.data,
      pendingCount,
    });
    this.#pullMore();
    this.#wake();
  }

  #onStatus(status: number, message: Msg): void {
    const { stream } = this.#options;
    const description = message.headers?.description ?? '';
    if (status === STATUS_HEARTBEAT) return;
    if (status === STATUS_NO_RESPONDERS || (status === STATUS_CONFLICT && /deleted/i.test(description))) {
      this.#fail(new ReaderReplacedError(`the consumer of ${stream} is gone: ${status} ${description}`));
      return;
    }
    // 404 and 408: the request is over without having delivered all it may.
    this.#requestedCount = 0;
    this.#pullMore();
  }

  /** One pull request at a time, for as many messages as there is room. */
  #pullMore(): void {
    if (this.#failure || this.#isClosed || this.#requestedCount > 0) return;
    const room = this.#prefetchMax - this.#queue.length;
    if (room < this.#prefetchMax / 2) return;
    this.#requestedCount = room;
    this.#heardAt = performance.now();
    const request = { batch: room, expires: nanos(PULL_EXPIRES_MS), idle_heartbeat: nanos(IDLE_HEARTBEAT_MS) };
    const { stream, consumer } = this.#options;
    this.#bus.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(request), {
      reply: this.#inbox,
    });
  }

  async #checkSilence(): Promise<void> {
    if (this.#requestedCount === 0 || performance.now() - this.#heardAt < SILENCE_MAX_MS) return;
    const { stream, consumer } = this.#options;
    try {
      await this.#bus.manager.consumers.info(stream, consumer);
      this.#requestedCount = 0;
      this.#pullMore();
    } catch (error) {
      if (hasJsError(error, JS_ERROR.consumerNotFound, JS_ERROR.streamNotFound) || isNoResponders(error))
        this.#fail(new ReaderReplacedError(`the consumer of ${stream} is gone`));
    }
  }

  #whenWoken(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === Infinity ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #fail(error: SluiceError): void {
    if (this.#failure || this.#isClosed) return;
    this.#failure = error;
    this.#release();
  }

  #release(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.#subscription.unsubscribe();
    this.#queue = [];
    this.#unacked = [];
    this.#wake();
  }
}
