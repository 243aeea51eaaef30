import { assert } from '@sluice/kernel';
import { CELL_KIND, readTuple, TupleView } from '@sluice/postgres-replication';
import { TextFormNeeded } from './apply-failure.js';
import { ArrayBuilder } from './array-builder.js';
import { locateCell, type RowVersions, type TupleRef } from './row-source.js';
import { type PlanColumn } from './table-plan.js';

const view = new TupleView(64);

/** Collects rows column by column and yields one array parameter per column, of the type that the column's `wire` says. */
export class RowArrays {
  readonly #columns: readonly PlanColumn[];
  readonly #arrays: ArrayBuilder[];

  constructor(columns: readonly PlanColumn[]) {
    this.#columns = columns;
    this.#arrays = columns.map(({ wire }) => new ArrayBuilder(wire.typeOid));
  }

  /** Appends the columns' cells of a tuple that holds all of them. */
  addTuple(tuple: TupleRef): void {
    this.addRow([tuple]);
  }

  /** Appends a row whose cells may lie in several versions. @throws TextFormNeeded for binary cells where text is written. */
  addRow(row: RowVersions): void {
    const newest = row.at(-1);
    assert(newest, 'a row to write has no tuple');
    const { buffer } = newest;
    const { kinds, starts, lengths } = readTuple(buffer, newest.offset, view);
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index];
      const array = this.#arrays[index];
      if (!column || !array) continue;
      const { position, wire } = column;
      const kind = kinds[position];
      if (kind === wire.cellKind) {
        const start = starts[position] ?? 0;
        array.addCell(buffer, start - 4, start + (lengths[position] ?? 0));
      } else if (kind === CELL_KIND.null) array.addNull();
      else this.#addOlder(row, column, array);
    }
  }

  finish(): Buffer[] {
    return this.#arrays.map((array) => array.finish());
  }

  #addOlder(row: RowVersions, { position, wire }: PlanColumn, array: ArrayBuilder): void {
    const cell = locateCell(row, position);
    assert(cell, 'a cell to write has no value');
    if (cell.kind === CELL_KIND.null) array.addNull();
    else if (cell.kind === wire.cellKind) array.addCell(cell.tuple.buffer, cell.start - 4, cell.start + cell.length);
    else throw new TextFormNeeded();
  }
}
