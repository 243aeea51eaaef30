import { type Lsn } from '@sluice/model';
import { CELL_KIND } from '@sluice/postgres-replication';
import { type RowLayout } from './row-statements.js';
import { locateCell, type RowVersions } from './row-source.js';
import { cellsOf, type SingleChange } from './row-writer.js';
import { type BoundTable } from './relation-registry.js';
import { type PlanColumn, type TablePlan } from './table-plan.js';
import { type StatementFailure } from './target-pipeline.js';

/** A change that is written by itself, and where it stands in the source's history. */
export interface ExactChange extends SingleChange {
  readonly table: BoundTable;
  /** The old row was sent with all its cells, not only with its key. */
  readonly isOldWhole: boolean;
  readonly commitLsn: Lsn;
  /** In its transaction, from 0. */
  readonly number: number;
}

/** The target did not do what the change says. */
export class ChangeFailed extends Error {
  override readonly name = 'ChangeFailed';

  constructor(
    readonly change: ExactChange,
    readonly failure: StatementFailure,
  ) {
    super('change failed', { cause: failure.kind === 'server' ? failure.error : undefined });
  }
}

/** A layout and its parameters. */
export interface LaidOut {
  readonly layout: RowLayout;
  readonly identityCells: readonly Buffer[];
  readonly cells: readonly Buffer[];
}

/** How the change looks to statements about single rows. */
export function layOut(change: ExactChange): LaidOut {
  const { operation, old, table } = change;
  const { plan } = table;
  const versions = knownRow(change);
  const keyless = operation === 'insert' ? [] : plan.columns;
  const identity = plan.key ?? keyless;
  const known = operation === 'delete' ? [] : plan.columns.filter(({ position }) => locateCell(versions, position));
  const identityCells = identity.length > 0 ? cellsOf(identity, old ? [old] : versions) : [];
  return {
    layout: { plan, operation, identity, known },
    identityCells,
    cells: [...identityCells, ...(known.length > 0 ? cellsOf(known, versions) : [])],
  };
}

/** The key as JSON, made of the cells as they came, which the target could not read. They are text: what is written by itself comes as that. */
export function keyAsSent(change: ExactChange): string | null {
  const versions = change.old ? [change.old] : knownRow(change);
  const key: Record<string, string | null> = {};
  for (const { name, position } of change.table.plan.key ?? []) {
    const cell = locateCell(versions, position);
    if (!cell) return null;
    const { tuple, kind, start, length } = cell;
    key[name] = kind === CELL_KIND.text ? tuple.buffer.toString('utf8', start, start + length) : null;
  }
  return JSON.stringify(key);
}

/** As `layOut`, of the row that the change left: found by its key, or by all that is known of it where no index says that the key is its only. */
export function layOutWritten(change: ExactChange): LaidOut {
  const { plan } = change.table;
  const versions = knownRow(change);
  const known = plan.columns.filter(({ position }) => locateCell(versions, position));
  const key = plan.key && isUnique(plan, plan.key) ? plan.key : null;
  const identity = key ?? known;
  const identityCells = identity.length > 0 ? cellsOf(identity, versions) : [];
  const layout = { plan: { ...plan, key, columns: known }, operation: 'update', identity, known: [] } as const;
  return { layout, identityCells, cells: identityCells };
}

function isUnique({ target }: TablePlan, key: readonly PlanColumn[]): boolean {
  const names = new Set(key.map(({ name }) => name));
  return target.keys.some(
    ({ columns }) => columns.length === names.size && columns.every(({ name }) => names.has(name)),
  );
}

/** The new row; a cell that did not change is in the old one, if that was sent whole. */
export function knownRow({ old, row, isOldWhole }: ExactChange): RowVersions {
  return old && isOldWhole ? [old, ...row] : row;
}

/** The same as an insert; `null` when not all of the row is known. */
export function asInsert(change: ExactChange): ExactChange | null {
  const row = knownRow(change);
  const isKnown = change.table.plan.columns.every(({ position }) => locateCell(row, position));
  return isKnown ? { ...change, operation: 'insert', old: null, row } : null;
}
