import { type FoldedChanges } from './change-fold.js';
import { changeFailed, foldedFailed, TextFormNeeded } from './apply-failure.js';
import { COPY_BYTES, type CopyMemory } from './copy-memory.js';
import { BinaryCopyRows } from './binary-copy-rows.js';
import { TextCopyRows } from './text-copy-rows.js';
import { RowArrays } from './row-arrays.js';
import { cellsOf } from './row-writer.js';
import { type RowVersions, type TupleRef } from './row-source.js';
import {
  copyStatement,
  deleteStatement,
  deleteWholeRowsStatement,
  deleteWholeRowStatement,
  insertEmptyStatement,
  insertStatement,
  truncateStatement,
  updateStatement,
} from './statements.js';
import { binaryPlan, isBinary, type PlanColumn, type TablePlan } from './table-plan.js';
import { type TargetPipeline } from './target-pipeline.js';

/** Enough rows to make a statement's fixed cost small, few enough that the target works while the next one is built. */
const ROWS_PER_STATEMENT_MAX = 2_000;

/**
 * To tell whether a row is another one mostly takes its first cell, to look it up among many takes all: one look through
 * 100,000 rows of four columns takes as long as finding some 30 of them, one after the other.
 */
const ROWS_ALONE_MAX = 16;

/** Sends the statements of one table's folded changes. Nothing is awaited here; the pipeline reports failures. */
export class TableWriter {
  readonly #plan: TablePlan;
  readonly #pipeline: TargetPipeline;
  readonly #copyMemory: CopyMemory;
  #binaryWriter: TableWriter | null = null;
  readonly #statements = new Map<string, string>();

  constructor(plan: TablePlan, { pipeline, copyMemory }: { pipeline: TargetPipeline; copyMemory: CopyMemory }) {
    this.#plan = plan;
    this.#pipeline = pipeline;
    this.#copyMemory = copyMemory;
  }

  /** Deletes, then updates, then inserts: the keys of the three are disjoint but for replaced rows. @throws TextFormNeeded */
  writeFolded(changes: FoldedChanges): void {
    if (changes.isBinary && !isBinary(this.#plan)) {
      this.#writerOfBinary().writeFolded(changes);
      return;
    }
    const plan = this.#plan;
    const { deletes, updates, inserts } = changes;
    const key = plan.key ?? [];
    if (plan.key === null) this.#deleteWholeRows(deletes);
    else
      this.#inChunks(deletes, (rows) => {
        const arrays = new RowArrays(key);
        for (const row of rows) arrays.addTuple(row);
        this.#sendFolded(
          this.#text('delete', () => deleteStatement(plan, key)),
          arrays.finish(),
          rows.length,
        );
      });
    for (const [missing, group] of updates) {
      const columns = this.#sentColumns(missing);
      const text = this.#text(`update ${missing}`, () => updateStatement(plan, key, columns));
      this.#inChunks(group, (rows) => {
        const arrays = new RowArrays([...key, ...columns]);
        for (const row of rows) arrays.addRow(row);
        this.#sendFolded(text, arrays.finish(), rows.length);
      });
    }
    if (plan.target.canCopy && plan.columns.length > 0) this.#copy(inserts);
    else
      this.#inChunks(inserts, (rows) => {
        this.#sendInserts(rows, (text, values) => {
          this.#sendFolded(text, values, values.length === 0 ? 1 : rows.length);
        });
      });
  }

  /** In one statement, as each reads the whole table; what is folded at once bounds it. A few rows are found sooner one by one. */
  #deleteWholeRows(rows: readonly TupleRef[]): void {
    const plan = this.#plan;
    if (rows.length <= ROWS_ALONE_MAX) {
      for (const row of rows)
        this.#sendFolded(
          this.#text('delete row', () => deleteWholeRowStatement(plan)),
          cellsOf(plan.columns, [row]),
          1,
        );
      return;
    }
    const arrays = new RowArrays(plan.columns);
    for (const row of rows) arrays.addTuple(row);
    this.#sendFolded(
      this.#text('delete rows', () => deleteWholeRowsStatement(plan)),
      arrays.finish(),
      rows.length,
    );
  }

  #writerOfBinary(): TableWriter {
    if (this.#binaryWriter) return this.#binaryWriter;
    const plan = binaryPlan(this.#plan);
    if (!plan) throw new TextFormNeeded();
    this.#binaryWriter = new TableWriter(plan, { pipeline: this.#pipeline, copyMemory: this.#copyMemory });
    return this.#binaryWriter;
  }

  #copy(inserts: readonly RowVersions[]): void {
    const plan = this.#plan;
    const text = this.#text('copy', () => copyStatement(plan, plan.columns));
    let next = 0;
    while (next < inserts.length) {
      const rows = isBinary(plan)
        ? new BinaryCopyRows(plan.columns, this.#copyMemory.take(inserts.length - next))
        : new TextCopyRows(plan.columns, this.#copyMemory.take(inserts.length - next));
      for (; next < inserts.length && rows.sizeBytes < COPY_BYTES; next += 1) rows.add(inserts[next] ?? []);
      this.#pipeline.copy({
        text,
        copyData: rows.finish(),
        expectedRows: rows.count,
        onFailure: (failure) => foldedFailed(plan, failure),
        onSent: () => this.#copyMemory.giveBack(rows.memory),
      });
    }
  }

  #sendInserts(rows: readonly RowVersions[], send: (text: string, values: Buffer[]) => void): void {
    const { columns } = this.#plan;
    if (columns.length === 0) {
      // No column to give: one statement a row.
      for (const _ of rows) send(insertEmptyStatement(this.#plan), []);
      return;
    }
    const arrays = new RowArrays(columns);
    for (const row of rows) arrays.addRow(row);
    send(
      this.#text('insert', () => insertStatement(this.#plan, columns)),
      arrays.finish(),
    );
  }

  #sendFolded(text: string, values: Buffer[], expectedRows: number): void {
    const plan = this.#plan;
    this.#pipeline.send({ text, values, expectedRows, onFailure: (failure) => foldedFailed(plan, failure) });
  }

  /** The columns but for the `missing` positions and the key. */
  #sentColumns(missing: string): readonly PlanColumn[] {
    const left = new Set(missing === '' ? [] : missing.split(',').map(Number));
    for (const column of this.#plan.key ?? []) left.add(column.position);
    return this.#plan.columns.filter((column) => !left.has(column.position));
  }

  #text(purpose: string, make: () => string): string {
    let text = this.#statements.get(purpose);
    if (text === undefined) this.#statements.set(purpose, (text = make()));
    return text;
  }

  #inChunks<T>(rows: readonly T[], write: (chunk: readonly T[]) => void): void {
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT_MAX) {
      write(
        start === 0 && rows.length <= ROWS_PER_STATEMENT_MAX ? rows : rows.slice(start, start + ROWS_PER_STATEMENT_MAX),
      );
    }
  }
}

/** All tables of one TRUNCATE in one statement, as the source did. */
export function writeTruncate(
  plans: readonly TablePlan[],
  options: { pipeline: TargetPipeline; restartIdentity: boolean },
): void {
  const [plan] = plans;
  if (!plan) return;
  options.pipeline.send({
    text: truncateStatement(plans, options.restartIdentity),
    values: [],
    expectedRows: null,
    onFailure: (failure) => changeFailed({ plan, operation: 'truncate', key: null }, failure),
  });
}
