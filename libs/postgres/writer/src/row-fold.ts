import { CELL_KIND } from '@sluice/postgres-replication';
import { NotFoldable } from './not-foldable.js';
import { hasUnchangedCells, locateCell, type RowVersions, type TupleRef } from './row-source.js';
import { type PlanColumn } from './table-plan.js';

/** Larger rows are written by themselves: telling them apart would take as much memory again. */
const ROW_BYTES_MAX = 1024 * 1024;

/**
 * Folds the changes of a table without key: such a table is a multiset of rows, an update the end of one row and the begin
 * of another. A row that comes and goes again is left out.
 *
 * Maintained invariant: deleting as many rows equal to each of `deletes` as stand there, then inserting `inserts`, leaves
 * the table as the changes in their order would. What goes before an equal row comes is in both: it has to be there.
 */
export class RowFold {
  readonly #columns: readonly PlanColumn[];
  #deletes: TupleRef[] = [];
  #inserts: (RowVersions | null)[] = [];
  /** Places in `#inserts` by the row's cells; made when the first row goes, as tables without key mostly grow. */
  #places: Map<string, number[]> | null = null;

  constructor(columns: readonly PlanColumn[]) {
    this.#columns = columns;
  }

  get isEmpty(): boolean {
    return this.#deletes.length === 0 && this.#inserts.length === 0;
  }

  insert(row: RowVersions): void {
    if (this.#places) this.#note(this.#places, row, this.#inserts.length);
    this.#inserts.push(row);
  }

  /** @throws NotFoldable; nothing has been recorded then. */
  update(old: TupleRef, row: TupleRef): void {
    const text = this.#textOf(old);
    this.#delete(old, text);
    this.insert(hasUnchangedCells(row) ? [old, row] : [row]);
  }

  /** @throws NotFoldable; nothing has been recorded then. */
  delete(old: TupleRef): void {
    this.#delete(old, this.#textOf(old));
  }

  /** The fold is empty afterwards. */
  take(): { deletes: TupleRef[]; inserts: RowVersions[] } {
    const taken = { deletes: this.#deletes, inserts: this.#inserts.filter((row) => row !== null) };
    this.#deletes = [];
    this.#inserts = [];
    this.#places = null;
    return taken;
  }

  #delete(old: TupleRef, text: string): void {
    const places = (this.#places ??= this.#indexed());
    const place = places.get(text)?.pop();
    if (place === undefined) this.#deletes.push(old);
    else this.#inserts[place] = null;
  }

  #indexed(): Map<string, number[]> {
    const places = new Map<string, number[]>();
    this.#inserts.forEach((row, place) => {
      if (row) this.#note(places, row, place);
    });
    return places;
  }

  #note(places: Map<string, number[]>, row: RowVersions, place: number): void {
    const text = rowText(row, this.#columns);
    // Only what is as large could go, and that is not folded.
    if (text === null) return;
    const same = places.get(text);
    if (same) same.push(place);
    else places.set(text, [place]);
  }

  #textOf(old: TupleRef): string {
    const text = rowText([old], this.#columns);
    if (text === null) throw new NotFoldable('a row that is large, or was not sent whole');
    return text;
  }
}

/** Equal for the same cells in the same form; `null` when a cell is missing, or they are too large together. */
function rowText(row: RowVersions, columns: readonly PlanColumn[]): string | null {
  let text = '';
  for (const { position } of columns) {
    const cell = locateCell(row, position);
    if (!cell) return null;
    const { tuple, kind, start, length } = cell;
    if (text.length + length > ROW_BYTES_MAX) return null;
    // The length before the value keeps ('a', 'bc') and ('ab', 'c') apart.
    text += kind === CELL_KIND.null ? 'n' : `${length}:${tuple.buffer.toString('latin1', start, start + length)}`;
  }
  return text;
}
