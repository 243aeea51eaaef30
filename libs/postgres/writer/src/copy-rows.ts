import { assert } from '@sluice/kernel';
import { CELL_KIND } from '@sluice/postgres-replication';
import { locateCell, type RowVersions, type TupleRef } from './row-source.js';
import { type PlanColumn } from './table-plan.js';

/** `d`, int32 length: the begin of a CopyData message. */
const HEADER_BYTES = 5;
const COPY_DATA = 'd'.charCodeAt(0);
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BACKSLASH = 0x5c;
const LETTER_N = 'N'.charCodeAt(0);
/** What stands behind the backslash for a byte that has a meaning of its own; 0 for all others. */
const ESCAPES = new Uint8Array(256);
ESCAPES[BACKSLASH] = BACKSLASH;
ESCAPES[TAB] = 't'.charCodeAt(0);
ESCAPES[NEWLINE] = 'n'.charCodeAt(0);
ESCAPES[RETURN] = 'r'.charCodeAt(0);
const ESCAPED_BYTES = [BACKSLASH, TAB, NEWLINE, RETURN];
/** Longer cells are searched for bytes to escape by the runtime, which is faster than a loop, and copied at once. */
const LOOP_BYTES_MAX = 256;

/**
 * Rows of `COPY … FROM STDIN` in its text format, as one CopyData message, made of the cells as they came from the source.
 * https://www.postgresql.org/docs/current/sql-copy.html (text format)
 */
export class CopyRows {
  readonly #columns: readonly PlanColumn[];
  /** By position in the relation: 1 when the cell is written. */
  readonly #isWritten: Uint8Array;
  #buffer: Buffer;
  #end = HEADER_BYTES;
  #count = 0;

  /** @param memory is used as long as it suffices. */
  constructor(columns: readonly PlanColumn[], memory: Buffer) {
    this.#columns = columns;
    this.#isWritten = new Uint8Array((columns.at(-1)?.position ?? -1) + 1);
    for (const { position } of columns) this.#isWritten[position] = 1;
    this.#buffer = memory;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#end;
  }

  /** Appends a row whose cells may lie in several versions. */
  add(row: RowVersions): void {
    const start = this.#end;
    const only = row.length === 1 ? row[0] : undefined;
    if (!only || !this.#addTuple(only)) {
      this.#end = start;
      this.#addVersions(row);
    }
    this.#buffer[this.#end - 1] = NEWLINE;
    this.#count += 1;
  }

  /** What was given, or what it was replaced by when it did not suffice. */
  get memory(): Buffer {
    return this.#buffer;
  }

  /** The message. */
  finish(): Buffer {
    this.#buffer[0] = COPY_DATA;
    this.#buffer.writeInt32BE(this.#end - 1, 1);
    return this.#buffer.subarray(0, this.#end);
  }

  /** False when a cell is missing in it. Reads the tuple once: this is the hottest loop of a large load of rows. */
  #addTuple({ buffer, offset }: TupleRef): boolean {
    const columnCount = this.#isWritten.length;
    let at = offset + 2;
    for (let position = 0; position < columnCount; position += 1) {
      const kind = buffer[at];
      at += 1;
      if (kind === CELL_KIND.text) {
        const length = buffer.readUInt32BE(at);
        at += 4;
        if (this.#isWritten[position] === 1) this.#addCell(buffer, at, at + length);
        at += length;
      } else if (this.#isWritten[position] === 1) {
        if (kind !== CELL_KIND.null) return false;
        this.#addNull();
      }
    }
    return true;
  }

  #addVersions(row: RowVersions): void {
    for (const { position } of this.#columns) {
      const cell = locateCell(row, position);
      assert(cell, 'a cell to write has no value');
      if (cell.kind === CELL_KIND.null) this.#addNull();
      else this.#addCell(cell.tuple.buffer, cell.start, cell.start + cell.length);
    }
  }

  #addNull(): void {
    this.#reserve(3);
    this.#buffer[this.#end] = BACKSLASH;
    this.#buffer[this.#end + 1] = LETTER_N;
    this.#buffer[this.#end + 2] = TAB;
    this.#end += 3;
  }

  #addCell(source: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#reserve(2 * length + 1);
    const target = this.#buffer;
    let to = this.#end;
    if (length > LOOP_BYTES_MAX && isPlain(source.subarray(start, end))) {
      source.copy(target, to, start, end);
      to += length;
    } else {
      for (let from = start; from < end; from += 1) {
        const byte = source[from] ?? 0;
        const escape = ESCAPES[byte] ?? 0;
        if (escape === 0) {
          target[to] = byte;
          to += 1;
        } else {
          target[to] = BACKSLASH;
          target[to + 1] = escape;
          to += 2;
        }
      }
    }
    target[to] = TAB;
    this.#end = to + 1;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}

function isPlain(cell: Buffer): boolean {
  return ESCAPED_BYTES.every((byte) => !cell.includes(byte));
}
