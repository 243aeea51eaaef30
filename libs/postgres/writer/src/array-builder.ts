/** Room for the array's header: dimensions, null flag, element type, length, lower bound. */
const HEADER_BYTES = 20;
/** Cells shorter than this are copied in a loop: the call to `copy` costs more than it saves. */
const LOOP_COPY_BYTES = 24;

/**
 * Builds an array parameter in PostgreSQL's binary array format from cells as they came from the source.
 * An element is `int32 length, bytes`, which is how pgoutput writes a cell, so a cell is copied as it is:
 * no value is decoded, escaped or re-encoded (I6). The text of a value is the binary form of the type text.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html (TupleData), src/backend/utils/adt/arrayfuncs.c (array_recv)
 */
export class ArrayBuilder {
  #buffer: Buffer;
  #end = HEADER_BYTES;
  #count = 0;
  #hasNull = false;
  readonly #elementOid: number;

  constructor(elementOid: number, expectedBytes = 1024) {
    this.#elementOid = elementOid;
    this.#buffer = Buffer.allocUnsafe(HEADER_BYTES + expectedBytes);
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#end;
  }

  /** Appends the cell whose `int32 length` begins at `start` and whose value ends at `end`. */
  addCell(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    if (length < LOOP_COPY_BYTES) {
      const target = this.#buffer;
      let to = this.#end;
      for (let from = start; from < end; from += 1, to += 1) target[to] = source[from] ?? 0;
    } else {
      source.copy(this.#buffer, this.#end, start, end);
    }
    this.#end += length;
    this.#count += 1;
  }

  addNull(): void {
    this.#reserve(4);
    this.#buffer.writeInt32BE(-1, this.#end);
    this.#end += 4;
    this.#count += 1;
    this.#hasNull = true;
  }

  /** The parameter. The builder must not be used afterwards. */
  finish(): Buffer {
    const buffer = this.#buffer;
    buffer.writeInt32BE(this.#count === 0 ? 0 : 1, 0);
    buffer.writeInt32BE(this.#hasNull ? 1 : 0, 4);
    buffer.writeUInt32BE(this.#elementOid, 8);
    if (this.#count === 0) return buffer.subarray(0, 12);
    buffer.writeInt32BE(this.#count, 12);
    buffer.writeInt32BE(1, 16);
    return buffer.subarray(0, this.#end);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}
