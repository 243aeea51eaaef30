import { type Deferred, deferred } from './deferred.js';

/**
 * A queue bounded in bytes between one producer and one consumer (I7).
 *
 * Maintained invariant: `sizeBytes` is the sum of the items' sizes; `push` never drops an item, it tells the
 * producer to wait when the bound is exceeded. One item larger than the bound still passes.
 */
export class ByteQueue<T> {
  readonly #items: { readonly item: T; readonly bytes: number }[] = [];
  readonly #maxBytes: number;
  #head = 0;
  #sizeBytes = 0;
  #closed = false;
  #failure: Error | null = null;
  #waitingConsumer: Deferred<void> | null = null;
  #waitingProducer: Deferred<void> | null = null;

  /** @param maxBytes the size above which `push` asks the producer to wait; > 0. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isFull(): boolean {
    return this.#sizeBytes >= this.#maxBytes;
  }

  /** Adds an item. A caller that sees `isFull` afterwards must await `whenWritable()` before it adds more. */
  push(item: T, bytes: number): void {
    if (this.#failure) throw this.#failure;
    this.#items.push({ item, bytes });
    this.#sizeBytes += bytes;
    this.#wakeConsumer();
  }

  async whenWritable(): Promise<void> {
    while (this.isFull && !this.#failure) {
      this.#waitingProducer ??= deferred();
      await this.#waitingProducer.promise;
    }
    if (this.#failure) throw this.#failure;
  }

  /** The next item, without waiting; `undefined` when the queue is empty at this moment. */
  tryShift(): T | undefined {
    if (this.#failure) throw this.#failure;
    const entry = this.#items[this.#head];
    if (!entry) return undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    this.#sizeBytes -= entry.bytes;
    if (!this.isFull) this.#wakeProducer();
    return entry.item;
  }

  /** The next item; `undefined` once the queue is closed and empty. Rejects when the queue failed. */
  async shift(): Promise<T | undefined> {
    for (;;) {
      const item = this.tryShift();
      if (item !== undefined || this.#closed) return item;
      this.#waitingConsumer ??= deferred();
      await this.#waitingConsumer.promise;
    }
  }

  close(): void {
    this.#closed = true;
    this.#wakeConsumer();
  }

  /** Both sides get `error` from now on; what is queued is dropped. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wakeConsumer();
    this.#wakeProducer();
  }

  #wakeConsumer(): void {
    this.#waitingConsumer?.resolve();
    this.#waitingConsumer = null;
  }

  #wakeProducer(): void {
    this.#waitingProducer?.resolve();
    this.#waitingProducer = null;
  }
}
