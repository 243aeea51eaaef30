import { assert, present } from '@sluice/kernel';
import { RowArrays } from './row-arrays.js';
import { keyTextOf, locateCell, type RowVersions, type TupleRef } from './row-source.js';
import {
  deleteStatement,
  deleteWholeRowStatement,
  insertEmptyStatement,
  insertStatement,
  moveStatement,
  moveWholeRowStatement,
  updateStatement,
  updateWholeRowStatement,
} from './statements.js';
import { type PlanColumn, type TablePlan } from './table-plan.js';
import { type StatementFailure, type TargetPipeline } from './target-pipeline.js';

type Send = (text: string, values: Buffer[]) => void;

/** A change of one row as it came. */
export interface SingleChange {
  readonly operation: 'insert' | 'update' | 'delete';
  /** The old key or the old row, when the source sent one. */
  readonly old: TupleRef | null;
  /** The new row; what a newer version does not hold is in an older one. Empty for a delete. */
  readonly row: RowVersions;
}

/** Sends the statements of one table's changes one by one, as they were made. Nothing is awaited here; the pipeline reports failures. */
export class RowWriter {
  readonly #plan: TablePlan;
  readonly #pipeline: TargetPipeline;
  readonly #statements = new Map<string, string>();

  constructor(plan: TablePlan, pipeline: TargetPipeline) {
    this.#plan = plan;
    this.#pipeline = pipeline;
  }

  /** @param onFailure for another number of rows than one, too. */
  send({ operation, old, row }: SingleChange, onFailure: (failure: StatementFailure) => Error): void {
    const newest = row.at(-1);
    const send = (text: string, values: Buffer[]): void =>
      this.#pipeline.send({ text, values, expectedRows: 1, onFailure });
    if (operation === 'insert') this.#insert(row, send);
    else if (operation === 'delete') this.#delete(present(old, 'the old row of a delete'), send);
    else this.#update(old, present(newest, 'the new row of an update'), send);
  }

  #insert(row: RowVersions, send: Send): void {
    const plan = this.#plan;
    const { columns } = plan;
    if (columns.length === 0) send(insertEmptyStatement(plan), []);
    else
      send(
        this.#text('insert', () => insertStatement(plan, columns)),
        cellsOf(columns, row),
      );
  }

  #update(old: TupleRef | null, row: TupleRef, send: Send): void {
    const plan = this.#plan;
    const sent = plan.columns.filter(({ position }) => locateCell([row], position) !== null);
    if (plan.key === null) {
      assert(old, 'an update without a key came without its old row');
      const isMove = plan.columns.some((column) => column.isIdentityAlways);
      const text = isMove
        ? this.#text('move row', () => moveWholeRowStatement(plan, sent), sent)
        : this.#text('update row', () => updateWholeRowStatement(plan, sent), sent);
      send(text, [...cellsOf(plan.columns, [old]), ...cellsOf(sent, [row])]);
      return;
    }
    const { key } = plan;
    const isKeyChanged = old !== null && keyTextOf(old, key) !== keyTextOf(row, key);
    if (isKeyChanged || plan.columns.some((column) => column.isIdentityAlways)) {
      const text = this.#text('move', () => moveStatement(plan, key, sent), sent);
      send(text, [...cellsOf(key, [old ?? row]), ...cellsOf(sent, [row])]);
      return;
    }
    const columns = sent.filter((column) => !key.some((other) => other.position === column.position));
    const text = this.#text('update', () => updateStatement(plan, key, columns), columns);
    send(text, [...cellsOf(key, [row]), ...cellsOf(columns, [row])]);
  }

  #delete(old: TupleRef, send: Send): void {
    const plan = this.#plan;
    const { key } = plan;
    const text = key
      ? this.#text('delete', () => deleteStatement(plan, key))
      : this.#text('delete row', () => deleteWholeRowStatement(plan));
    send(text, cellsOf(key ?? plan.columns, [old]));
  }

  #text(purpose: string, make: () => string, columns: readonly PlanColumn[] = []): string {
    const id = `${purpose}/${columns.map((column) => column.position).join(',')}`;
    let text = this.#statements.get(id);
    if (text === undefined) this.#statements.set(id, (text = make()));
    return text;
  }
}

/** One parameter per column, of one row. */
export function cellsOf(columns: readonly PlanColumn[], row: RowVersions): Buffer[] {
  const arrays = new RowArrays(columns);
  arrays.addRow(row);
  return arrays.finish();
}
