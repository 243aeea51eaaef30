import { type TableName } from '@sluice/contracts';

/** Identifies a row for people. Keys are shown, other values never are: a table without primary key shows the hash of the row. */
export type RowKey =
  | { readonly kind: 'primary-key'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'row-hash'; readonly hash: string };

export type RowDifference =
  | { readonly kind: 'only-in-source'; readonly key: RowKey }
  | { readonly kind: 'only-in-target'; readonly key: RowKey }
  | { readonly kind: 'differs'; readonly key: RowKey; readonly columns: readonly string[] }
  /** The same key or the same keyless row stands there a different number of times. */
  | {
      readonly kind: 'copies-differ';
      readonly key: RowKey;
      readonly sourceCopies: number;
      readonly targetCopies: number;
    };

export type TableComparison =
  | { readonly kind: 'equal'; readonly table: TableName; readonly rowCount: bigint }
  | { readonly kind: 'only-in-source'; readonly table: TableName }
  | { readonly kind: 'only-in-target'; readonly table: TableName }
  | {
      readonly kind: 'columns-differ';
      readonly table: TableName;
      readonly columnsOnlyInSource: readonly string[];
      readonly columnsOnlyInTarget: readonly string[];
    }
  | {
      readonly kind: 'rows-differ';
      readonly table: TableName;
      readonly sourceRowCount: bigint;
      readonly targetRowCount: bigint;
      /** The first differing rows, not all of them. */
      readonly rows: readonly RowDifference[];
    };

export interface SequenceDifference {
  readonly sequence: TableName;
  /** `null`: the sequence is missing on that side. */
  readonly source: SequenceState | null;
  readonly target: SequenceState | null;
}

export interface SequenceState {
  readonly lastValue: string;
  readonly isCalled: boolean;
}

export interface ComparisonReport {
  readonly equal: boolean;
  readonly rowCount: bigint;
  readonly tables: readonly TableComparison[];
  /** Empty when sequences were not compared. */
  readonly sequences: readonly SequenceDifference[];
}

/** One line for each difference, for people. Empty when both sides are equal. */
export function describeDifferences(report: ComparisonReport): string[] {
  return [...report.tables.flatMap(describeTable), ...report.sequences.map(describeSequence)];
}

function describeTable(comparison: TableComparison): string[] {
  const name = `${comparison.table.schema}.${comparison.table.name}`;
  switch (comparison.kind) {
    case 'equal':
      return [];
    case 'only-in-source':
    case 'only-in-target':
      return [`${name}: ${words(comparison.kind)}`];
    case 'columns-differ': {
      const sides = [
        ...comparison.columnsOnlyInSource.map((column) => `column ${column} only in source`),
        ...comparison.columnsOnlyInTarget.map((column) => `column ${column} only in target`),
      ];
      return [`${name}: ${sides.join(', ')}`];
    }
    case 'rows-differ': {
      const counts = `${comparison.sourceRowCount} rows in source, ${comparison.targetRowCount} in target`;
      return [`${name}: content differs (${counts})`, ...comparison.rows.map((row) => `  ${describeRow(row)}`)];
    }
  }
}

function describeRow(row: RowDifference): string {
  const key =
    row.key.kind === 'row-hash'
      ? `row with hash ${row.key.hash}`
      : Object.entries(row.key.values)
          .map(([column, value]) => `${column}=${value}`)
          .join(', ');
  if (row.kind === 'differs') return `${key}: differs in ${row.columns.join(', ')}`;
  if (row.kind === 'copies-differ') return `${key}: ${row.sourceCopies} × in source, ${row.targetCopies} × in target`;
  return `${key}: ${words(row.kind)}`;
}

function describeSequence({ sequence, source, target }: SequenceDifference): string {
  const state = (side: SequenceState | null): string =>
    side === null ? 'missing' : `${side.lastValue}${side.isCalled ? '' : ' (not called)'}`;
  return `sequence ${sequence.schema}.${sequence.name}: ${state(source)} in source, ${state(target)} in target`;
}

function words(kind: string): string {
  return kind.replaceAll('-', ' ');
}
