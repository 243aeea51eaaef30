/** A COPY has about this many bytes of rows: enough to make its fixed cost small, few enough that the target works while the next one is built. */
export const COPY_BYTES = 1024 * 1024;
/** Room for the row that goes beyond it. */
const BUFFER_BYTES = COPY_BYTES + 64 * 1024;
/** Buffers kept for reuse; more are under way only while the target is slow. */
const SPARE_BUFFERS_MAX = 8;

/** Memory of rows on their way, used again once they are sent, so that a large transaction makes no garbage (I7). */
export class CopyMemory {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  giveBack(buffer: Buffer): void {
    if (buffer.length === BUFFER_BYTES && this.#spare.length < SPARE_BUFFERS_MAX) this.#spare.push(buffer);
  }
}
