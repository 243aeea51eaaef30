/** A batch below this is copied out, so that a lone transaction does not hold the memory of a full batch. */
const SMALL_BATCH_BYTES = 64 * 1024;
/** Buffers kept for reuse; as many as the default publish window has under way. */
const SPARE_BUFFERS_MAX = 8;

/** Memory of batches. It is used again once the batch is stored, so that a large transaction makes no garbage (I7). */
export class BatchBuffers {
  readonly #sizeBytes: number;
  readonly #spare: Buffer[] = [];

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
  }

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes);
  }

  /** The first `length` bytes of `buffer` as a payload, and the buffer to go on with. */
  detach(buffer: Buffer, length: number): { payload: Uint8Array; next: Buffer; release: () => void } {
    if (length < SMALL_BATCH_BYTES) {
      return { payload: Buffer.from(buffer.subarray(0, length)), next: buffer, release: () => undefined };
    }
    return { payload: buffer.subarray(0, length), next: this.take(), release: () => this.#giveBack(buffer) };
  }

  #giveBack(buffer: Buffer): void {
    if (this.#spare.length < SPARE_BUFFERS_MAX) this.#spare.push(buffer);
  }
}
