import { assert } from '@sluice/kernel';
import { CELL_KIND } from '@sluice/postgres-replication';
import { TextFormNeeded } from './apply-failure.js';
import { locateCell, type RowVersions, type TupleRef } from './row-source.js';
import { type PlanColumn } from './table-plan.js';

/** `d`, int32 length: the begin of a CopyData message. */
const HEADER_BYTES = 5;
const COPY_DATA = 'd'.charCodeAt(0);

/** Rows of one `COPY … FROM STDIN` as one CopyData message, made of the cells as they came from the source. */
export abstract class CopyMessage {
  readonly #columns: readonly PlanColumn[];
  /** By position in the relation: 1 when the cell is written. */
  readonly #isWritten: Uint8Array;
  readonly #cellKind: number;
  protected buffer: Buffer;
  protected end = HEADER_BYTES;
  #count = 0;

  /** @param memory is used as long as it suffices. */
  constructor(columns: readonly PlanColumn[], memory: Buffer) {
    this.#columns = columns;
    this.#isWritten = new Uint8Array((columns.at(-1)?.position ?? -1) + 1);
    for (const { position } of columns) this.#isWritten[position] = 1;
    this.#cellKind = columns[0]?.wire.cellKind ?? CELL_KIND.text;
    this.buffer = memory;
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.end;
  }

  /** What was given, or what it was replaced by when it did not suffice. */
  get memory(): Buffer {
    return this.buffer;
  }

  /** Appends a row whose cells may lie in several versions. @throws TextFormNeeded for binary cells where text is written. */
  add(row: RowVersions): void {
    const start = this.end;
    const only = row.length === 1 ? row[0] : undefined;
    this.beginRow(this.#columns.length);
    if (!only || !this.#addTuple(only)) {
      this.end = start;
      this.beginRow(this.#columns.length);
      this.#addVersions(row);
    }
    this.endRow();
    this.#count += 1;
  }

  /** The message. */
  finish(): Buffer {
    this.endRows();
    this.buffer[0] = COPY_DATA;
    this.buffer.writeInt32BE(this.end - 1, 1);
    return this.buffer.subarray(0, this.end);
  }

  protected abstract beginRow(cellCount: number): void;
  protected abstract endRow(): void;
  protected abstract endRows(): void;
  protected abstract addNull(): void;
  /** The value lies from `start` to `end`; its int32 length stands before it. */
  protected abstract addCell(source: Buffer, start: number, end: number): void;

  protected reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
  }

  /** False when it does not hold all cells in the form that is written. Reads the tuple once: the hottest loop of many inserts. */
  #addTuple({ buffer, offset }: TupleRef): boolean {
    const isWritten = this.#isWritten;
    const cellKind = this.#cellKind;
    let at = offset + 2;
    for (let position = 0; position < isWritten.length; position += 1) {
      const kind = buffer[at];
      at += 1;
      if (kind === CELL_KIND.text || kind === CELL_KIND.binary) {
        const length = buffer.readUInt32BE(at);
        at += 4;
        if (isWritten[position] === 1) {
          if (kind !== cellKind) return false;
          this.addCell(buffer, at, at + length);
        }
        at += length;
      } else if (isWritten[position] === 1) {
        if (kind !== CELL_KIND.null) return false;
        this.addNull();
      }
    }
    return true;
  }

  #addVersions(row: RowVersions): void {
    for (const { position } of this.#columns) {
      const cell = locateCell(row, position);
      assert(cell, 'a cell to write has no value');
      if (cell.kind === CELL_KIND.null) this.addNull();
      else if (cell.kind === this.#cellKind) this.addCell(cell.tuple.buffer, cell.start, cell.start + cell.length);
      else throw new TextFormNeeded();
    }
  }
}
