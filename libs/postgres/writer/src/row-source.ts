import { CELL_KIND, readTuple, TupleView } from '@sluice/postgres-replication';
import { type PlanColumn } from './table-plan.js';

/** A tuple inside a received batch. The buffer is kept alive by the reference; nothing is copied until it is written. */
export interface TupleRef {
  readonly buffer: Buffer;
  readonly offset: number;
}

/**
 * A row to write: the newest tuple last. A cell that the source did not send (unchanged TOAST) is taken from the newest
 * older tuple that has it; if none has, the target's row keeps its own.
 */
export type RowVersions = readonly TupleRef[];

const scratch = new TupleView(64);

/** The form in which the tuple's values come: all in the same. `null` when it holds none. */
export function cellKindOf({ buffer, offset }: TupleRef): number | null {
  const count = buffer.readUInt16BE(offset);
  // Cells without a value are one byte long, so that the first with one is found without reading lengths.
  for (let index = 0; index < count; index += 1) {
    const kind = buffer[offset + 2 + index];
    if (kind === CELL_KIND.text || kind === CELL_KIND.binary) return kind;
  }
  return null;
}

/** Key text of a tuple, for maps: equal for the same stored value. `null` when a key cell is missing. */
export function keyTextOf(tuple: TupleRef, key: readonly PlanColumn[]): string | null {
  const [column] = key;
  if (column && key.length === 1) return cellText(tuple, column.position);
  const view = readTuple(tuple.buffer, tuple.offset, scratch);
  let text = '';
  for (const { position } of key) {
    const kind = view.kinds[position];
    if (position >= view.count || (kind !== CELL_KIND.text && kind !== CELL_KIND.binary)) return null;
    const start = view.starts[position] ?? 0;
    const length = view.lengths[position] ?? 0;
    // The length before the value keeps ('a', 'bc') and ('ab', 'c') apart.
    text += `${length}:${tuple.buffer.toString('latin1', start, start + length)}`;
  }
  return text;
}

/** The bytes of one cell; `null` when it has none. Reads no further, as keys mostly stand first. */
function cellText({ buffer, offset }: TupleRef, position: number): string | null {
  if (position >= buffer.readUInt16BE(offset)) return null;
  let at = offset + 2;
  for (let index = 0; ; index += 1) {
    const kind = buffer[at];
    at += 1;
    const hasValue = kind === CELL_KIND.text || kind === CELL_KIND.binary;
    if (index === position && !hasValue) return null;
    if (!hasValue) continue;
    const end = at + 4 + buffer.readUInt32BE(at);
    if (index === position) return buffer.toString('latin1', at + 4, end);
    at = end;
  }
}

/** True when the source left out a cell of the tuple because it did not change. */
export function hasUnchangedCells(tuple: TupleRef): boolean {
  const view = readTuple(tuple.buffer, tuple.offset, scratch);
  for (let index = 0; index < view.count; index += 1) if (view.kinds[index] === CELL_KIND.unchanged) return true;
  return false;
}

/** The positions of cells that no version of the row holds, as text for grouping; empty for a whole row. */
export function missingCells(row: RowVersions): string {
  const newest = row.at(-1);
  if (!newest) return '';
  const view = readTuple(newest.buffer, newest.offset, scratch);
  let missing: number[] | null = null;
  for (let index = 0; index < view.count; index += 1) {
    if (view.kinds[index] === CELL_KIND.unchanged) (missing ??= []).push(index);
  }
  if (!missing) return '';
  return missing.filter((position) => locateCell(row, position) === null).join(',');
}

/** Where the cell lies among the row's versions; `null` when no version holds it. */
export function locateCell(
  row: RowVersions,
  position: number,
): { tuple: TupleRef; kind: number; start: number; length: number } | null {
  for (let index = row.length - 1; index >= 0; index -= 1) {
    const tuple = row[index];
    if (!tuple) continue;
    const view = readTuple(tuple.buffer, tuple.offset, scratch);
    const kind = view.kinds[position] ?? CELL_KIND.null;
    if (kind !== CELL_KIND.unchanged)
      return { tuple, kind, start: view.starts[position] ?? 0, length: view.lengths[position] ?? 0 };
  }
  return null;
}
