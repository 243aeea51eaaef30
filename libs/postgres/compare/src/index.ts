export { compareDatabases, type CompareOptions, type ComparisonProgress } from './compare-databases.js';
export {
  type ComparisonReport,
  describeDifferences,
  type RowDifference,
  type RowKey,
  type SequenceDifference,
  type SequenceState,
  type TableComparison,
} from './comparison-report.js';
export { type ComparisonSnapshot, exportComparisonSnapshot } from './comparison-snapshot.js';
