import { describeDifferences, type ComparisonReport } from '@sluice/postgres-compare';
import { type FullLoadProgress } from './task-view.js';
import { formatBytes, formatCount, formatDuration, formatQuantity } from './format.js';
import { type HelperObject } from './leftovers.js';

export interface Summary {
  readonly report: ComparisonReport;
  readonly fullLoad: FullLoadProgress | null;
  /** Until the task was incremental; `null` when this run found it so. */
  readonly loadMs: number | null;
  readonly incrementalMs: number;
  readonly transactions: number;
  readonly changes: number;
  readonly endMs: number;
  readonly compareMs: number;
  readonly leftovers: readonly HelperObject[];
}

const DIFFERENCES_MAX = 30;

/** The last lines of a run with --once. */
export function summaryLines(summary: Summary): string[] {
  const { report, fullLoad, loadMs, leftovers } = summary;
  const loaded =
    // A load of less than a second can be over before its numbers were seen.
    fullLoad === null || fullLoad.rowsDone === 0
      ? []
      : [
          `  full load     ${formatQuantity(fullLoad.tablesDone, 'table')}, ${formatQuantity(fullLoad.rowsDone, 'row')}, ${formatBytes(fullLoad.bytesDone)}`,
        ];
  return [
    'Summary',
    ...loaded,
    ...(loadMs === null ? [] : [`  loaded in     ${formatDuration(loadMs)}`]),
    `  incremental   ${formatCount(summary.transactions)} transactions, ${formatCount(summary.changes)} changes in ${formatDuration(summary.incrementalMs)}`,
    `  end           ${formatDuration(summary.endMs)}`,
    `  verification  ${formatQuantity(report.tables.length, 'table')} and ${formatQuantity(Number(report.rowCount), 'equal row')} compared in ${formatDuration(summary.compareMs)}`,
    ...verdictLines(report),
    ...leftoverLines(leftovers),
  ];
}

export function verdictLines(report: ComparisonReport): string[] {
  if (report.equal) return ['✓ source and target are equal'];
  const differences = describeDifferences(report);
  const hidden = differences.length - DIFFERENCES_MAX;
  return [
    '✗ source and target differ',
    ...differences.slice(0, DIFFERENCES_MAX).map((line) => `    ${line}`),
    ...(hidden > 0 ? [`    … and ${hidden} more`] : []),
  ];
}

function leftoverLines(leftovers: readonly HelperObject[]): string[] {
  if (leftovers.length === 0) return ['✓ slot, publication and schema sluice are gone from both servers'];
  return [
    '✗ SLUICE-8006 Helper objects were left behind',
    ...leftovers.map(({ side, what, dropSql }) => `    ${side}: ${what}; drop it with: ${dropSql}`),
  ];
}
