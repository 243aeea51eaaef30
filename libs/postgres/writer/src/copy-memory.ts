/** A COPY has about this many bytes of rows: enough to make its fixed cost small, few enough that the target works while the next one is built. */
export const COPY_BYTES = 1024 * 1024;
/** Room for the row that goes beyond it. */
const BUFFER_BYTES = COPY_BYTES + 64 * 1024;
/** So few rows get memory of their own, as much as such rows mostly need. */
const SMALL_ROW_COUNT = 32;
const SMALL_ROW_BYTES = 256;
/** Buffers kept for reuse; more are under way only while the target is slow. */
const SPARE_BUFFERS_MAX = 8;

/** Memory of rows on their way, used again once they are sent, so that a large transaction makes no garbage (I7). */
export class CopyMemory {
  /** Of all tasks of the process, so that those that are idle hold none. */
  static readonly #spare: Buffer[] = [];

  /** For up to so many rows. */
  take(rowCount: number): Buffer {
    if (rowCount <= SMALL_ROW_COUNT) return Buffer.allocUnsafe(rowCount * SMALL_ROW_BYTES);
    return CopyMemory.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  giveBack(buffer: Buffer): void {
    if (buffer.length === BUFFER_BYTES && CopyMemory.#spare.length < SPARE_BUFFERS_MAX) CopyMemory.#spare.push(buffer);
  }
}
