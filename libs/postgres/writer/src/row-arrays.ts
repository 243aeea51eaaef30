import { assert } from '@sluice/kernel';
import { CELL_KIND, readTuple, TupleView } from '@sluice/postgres-replication';
import { locateCell, type RowVersions, type TupleRef } from './row-source.js';
import { type PlanColumn } from './table-plan.js';
import { TextArrayBuilder } from './text-array.js';

const view = new TupleView(64);

/** Collects rows column by column and yields one `text[]` parameter per column. */
export class RowArrays {
  readonly #columns: readonly PlanColumn[];
  readonly #arrays: TextArrayBuilder[];

  constructor(columns: readonly PlanColumn[]) {
    this.#columns = columns;
    this.#arrays = columns.map(() => new TextArrayBuilder());
  }

  /** Appends the columns' cells of a tuple that holds all of them. */
  addTuple({ buffer, offset }: TupleRef): void {
    const { kinds, starts, lengths } = readTuple(buffer, offset, view);
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index];
      const array = this.#arrays[index];
      if (!column || !array) continue;
      const kind = kinds[column.position];
      if (kind === CELL_KIND.null) {
        array.addNull();
        continue;
      }
      assert(kind === CELL_KIND.text, 'a cell to write has no value');
      const start = starts[column.position] ?? 0;
      array.addCell(buffer, start - 4, start + (lengths[column.position] ?? 0));
    }
  }

  /** Appends a row whose cells may lie in several versions. */
  addRow(row: RowVersions): void {
    const only = row.length === 1 ? row[0] : undefined;
    if (only && !this.#lacksCell(only)) {
      this.addTuple(only);
      return;
    }
    this.#columns.forEach((column, index) => {
      const cell = locateCell(row, column.position);
      assert(cell, 'a cell to write has no value');
      if (cell.kind === CELL_KIND.null) this.#arrays[index]?.addNull();
      else this.#arrays[index]?.addCell(cell.tuple.buffer, cell.start - 4, cell.start + cell.length);
    });
  }

  finish(): Buffer[] {
    return this.#arrays.map((array) => array.finish());
  }

  #lacksCell({ buffer, offset }: TupleRef): boolean {
    const { kinds } = readTuple(buffer, offset, view);
    return this.#columns.some(({ position }) => kinds[position] === CELL_KIND.unchanged);
  }
}
