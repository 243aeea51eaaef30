import { assert } from '@sluice/kernel';
import { changeFailed, type FailedChange } from './apply-failure.js';
import { RowArrays } from './row-arrays.js';
import { keyTextOf, locateCell, type TupleRef } from './row-source.js';
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
import { type TargetPipeline } from './target-pipeline.js';

/** Sends the statements of one table's changes one by one, as they were made. Nothing is awaited here; the pipeline reports failures. */
export class RowWriter {
  readonly #plan: TablePlan;
  readonly #pipeline: TargetPipeline;
  readonly #statements = new Map<string, string>();

  constructor(plan: TablePlan, pipeline: TargetPipeline) {
    this.#plan = plan;
    this.#pipeline = pipeline;
  }

  insertOne(row: TupleRef): void {
    const plan = this.#plan;
    const { columns } = plan;
    const text =
      columns.length === 0 ? insertEmptyStatement(plan) : this.#text('insert', () => insertStatement(plan, columns));
    this.#send(text, columns.length === 0 ? [] : arraysOf(columns, row), { operation: 'insert', row });
  }

  updateOne(old: TupleRef | null, row: TupleRef): void {
    const plan = this.#plan;
    const sent = plan.columns.filter(({ position }) => locateCell([row], position) !== null);
    const failed = { operation: 'update', row: old ?? row } as const;
    if (plan.key === null) {
      assert(old, 'an update without a key came without its old row');
      const isMove = plan.columns.some((column) => column.isIdentityAlways);
      const text = isMove
        ? this.#text(`move ${sent.length}`, () => moveWholeRowStatement(plan, sent), sent)
        : this.#text('update', () => updateWholeRowStatement(plan, sent), sent);
      this.#send(text, [...arraysOf(plan.columns, old), ...arraysOf(sent, row)], failed);
      return;
    }
    const { key } = plan;
    const isKeyChanged = old !== null && keyTextOf(old, key) !== keyTextOf(row, key);
    if (isKeyChanged || plan.columns.some((column) => column.isIdentityAlways)) {
      const text = this.#text('move', () => moveStatement(plan, key, sent), sent);
      this.#send(text, [...arraysOf(key, old ?? row), ...arraysOf(sent, row)], failed);
      return;
    }
    const columns = sent.filter((column) => !key.some((other) => other.position === column.position));
    const text = this.#text('update', () => updateStatement(plan, key, columns), columns);
    this.#send(text, [...arraysOf(key, row), ...arraysOf(columns, row)], failed);
  }

  deleteOne(old: TupleRef): void {
    const plan = this.#plan;
    const { key } = plan;
    const text = key
      ? this.#text('delete', () => deleteStatement(plan, key))
      : this.#text('delete row', () => deleteWholeRowStatement(plan));
    this.#send(text, arraysOf(key ?? plan.columns, old), { operation: 'delete', row: old });
  }

  #send(text: string, values: Buffer[], change: Omit<FailedChange, 'plan'>): void {
    const plan = this.#plan;
    this.#pipeline.send({
      text,
      values,
      expectedRows: 1,
      onFailure: (failure) => changeFailed({ plan, ...change }, failure),
    });
  }

  #text(purpose: string, make: () => string, columns: readonly PlanColumn[] = []): string {
    const id = `${purpose}/${columns.map((column) => column.position).join(',')}`;
    let text = this.#statements.get(id);
    if (text === undefined) this.#statements.set(id, (text = make()));
    return text;
  }
}

function arraysOf(columns: readonly PlanColumn[], tuple: TupleRef): Buffer[] {
  const arrays = new RowArrays(columns);
  arrays.addTuple(tuple);
  return arrays.finish();
}
