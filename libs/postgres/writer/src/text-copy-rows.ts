import { CopyMessage } from './copy-message.js';

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
/** Of longer cells it is counted what they come to before memory is taken for them. */
const COUNTED_BYTES_MIN = 64 * 1024;

/** The text format, made of text cells. https://www.postgresql.org/docs/current/sql-copy.html */
export class TextCopyRows extends CopyMessage {
  protected override beginRow(): void {
    // A row has no head.
  }

  /** Every cell has put a tab behind it; the last one's becomes the end of the line. */
  protected override endRow(): void {
    this.buffer[this.end - 1] = NEWLINE;
  }

  protected override endRows(): void {
    // Nor have the rows an end.
  }

  protected override addNull(): void {
    this.reserve(3);
    this.buffer[this.end] = BACKSLASH;
    this.buffer[this.end + 1] = LETTER_N;
    this.buffer[this.end + 2] = TAB;
    this.end += 3;
  }

  protected override addCell(source: Buffer, start: number, end: number): void {
    const length = end - start;
    const isPlainCell = length > LOOP_BYTES_MAX && isPlain(source.subarray(start, end));
    // Twice as much would do for any cell, and be as much again as a large row.
    const isLarge = length > COUNTED_BYTES_MIN;
    this.reserve(isPlainCell ? length + 1 : isLarge ? escapedBytes(source, start, end) + 1 : 2 * length + 1);
    const target = this.buffer;
    let to = this.end;
    if (isPlainCell) {
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
    this.end = to + 1;
  }
}

function escapedBytes(source: Buffer, start: number, end: number): number {
  let bytes = end - start;
  for (let from = start; from < end; from += 1) if (ESCAPES[source[from] ?? 0] !== 0) bytes += 1;
  return bytes;
}

function isPlain(cell: Buffer): boolean {
  return ESCAPED_BYTES.every((byte) => !cell.includes(byte));
}
