export { FoldedStatementFailed, TextFormNeeded } from './apply-failure.js';
export { type ApplyMode } from './change-applier.js';
export { type Checkpoint, claimCheckpoint, ensureCheckpointTable } from './checkpoint.js';
export { type DdlSettings, type ExecutedDdl } from './ddl-runner.js';
export { type LargeTransaction } from './large-transaction.js';
export { type PendingTable, type PendingTables } from './pending-tables.js';
export { type FrameRun, type SourceTransaction, type TransactionPart } from './source-transaction.js';
export { TargetSession } from './target-session.js';
