import { frames } from '@sluice/postgres-replication';

/** Where the length of a frame stands, and its size: what a piece has to hold to tell how large the frame is. */
const LENGTH_OFFSET = 1;
const HEAD_BYTES = 5;

/**
 * A frame that comes in several batches, behind others in the first of them. Each piece is put into its place as it arrives
 * and may be forgotten: a large row is held once while it comes, not in pieces and then as a whole.
 */
export class PartialFrame {
  #memory: Buffer = Buffer.alloc(0);
  #fill = 0;

  get isEmpty(): boolean {
    return this.#fill === 0;
  }

  add(piece: Buffer): void {
    if (this.#fill === 0) this.#memory = Buffer.allocUnsafeSlow(sizeOf(piece));
    if (this.#fill + piece.length > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(this.#fill + piece.length);
      this.#memory.copy(larger, 0, 0, this.#fill);
      this.#memory = larger;
    }
    this.#fill += piece.copy(this.#memory, this.#fill);
  }

  /** All that was added; nothing is left afterwards. */
  take(): Buffer {
    const whole = this.#memory.subarray(0, this.#fill);
    this.clear();
    return whole;
  }

  clear(): void {
    this.#memory = Buffer.alloc(0);
    this.#fill = 0;
  }
}

/** Bytes of the complete frames of the first piece and of the one that it ends in. */
function sizeOf(piece: Buffer): number {
  const cursor = frames(piece);
  while (cursor.advance());
  const isHeadThere = piece.length - cursor.end >= HEAD_BYTES;
  return isHeadThere ? cursor.end + LENGTH_OFFSET + piece.readUInt32BE(cursor.end + LENGTH_OFFSET) : piece.length;
}
