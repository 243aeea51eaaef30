import { type Lsn } from '@sluice/model';
import { type RowLayout } from './row-statements.js';
import { locateCell, type RowVersions } from './row-source.js';
import { cellsOf, type SingleChange } from './row-writer.js';
import { type BoundTable } from './relation-registry.js';
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

/** As `layOut`, of the row that the change left; `null` when its cells are not known. */
export function layOutWritten(change: ExactChange): LaidOut | null {
  const { plan } = change.table;
  const versions = knownRow(change);
  const identity = plan.key ?? plan.columns;
  if (!identity.every(({ position }) => locateCell(versions, position))) return null;
  const identityCells = cellsOf(identity, versions);
  return { layout: { plan, operation: 'update', identity, known: [] }, identityCells, cells: identityCells };
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
