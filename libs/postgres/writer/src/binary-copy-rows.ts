import { CopyMessage } from './copy-message.js';
import { type PlanColumn } from './table-plan.js';

/** Signature, no flags, no extension. */
const FILE_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const INT16_BYTES = 2;
const INT32_BYTES = 4;
/** Cells shorter than this are copied in a loop: the call to `copy` costs more than it saves. */
const LOOP_COPY_BYTES = 24;

/**
 * The binary format, made of binary cells: a field is `int32 length, bytes` in both, so that a row is copied but for the
 * kind before each cell. https://www.postgresql.org/docs/current/sql-copy.html
 */
export class BinaryCopyRows extends CopyMessage {
  constructor(columns: readonly PlanColumn[], memory: Buffer) {
    super(columns, memory);
    this.reserve(FILE_HEADER.length);
    this.end += FILE_HEADER.copy(this.buffer, this.end);
  }

  protected override beginRow(cellCount: number): void {
    this.reserve(INT16_BYTES);
    this.end = this.buffer.writeUInt16BE(cellCount, this.end);
  }

  protected override endRow(): void {
    // Nothing stands between rows.
  }

  protected override endRows(): void {
    this.reserve(INT16_BYTES);
    this.end = this.buffer.writeInt16BE(-1, this.end);
  }

  protected override addNull(): void {
    this.reserve(INT32_BYTES);
    this.end = this.buffer.writeInt32BE(-1, this.end);
  }

  protected override addCell(source: Buffer, start: number, end: number): void {
    const first = start - INT32_BYTES;
    const bytes = end - first;
    this.reserve(bytes);
    if (bytes < LOOP_COPY_BYTES) {
      const target = this.buffer;
      let to = this.end;
      for (let from = first; from < end; from += 1, to += 1) target[to] = source[from] ?? 0;
    } else {
      source.copy(this.buffer, this.end, first, end);
    }
    this.end += bytes;
  }
}
