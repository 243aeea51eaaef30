export { type AdoptionResult, copyAdopted, publishForAdoption } from './adopt-tables.js';
export { copyChunk, type CopyChunkOptions, type CopyChunkResult, type ChunkSessions } from './copy-chunk.js';
export { type CopyThrottle } from './source-tap.js';
export { TokenBucket } from './token-bucket.js';
export { pipeCopy, type CopyPipeResult, type CopyPipeStatements } from './copy-pipe.js';
export { beginUnderSnapshot, type ExportedSnapshot, isSnapshotAlive } from './exported-snapshot.js';
export { type HeldSnapshot, holdPlainSnapshot, holdSlotSnapshot } from './held-snapshot.js';
export {
  type BuildProgress,
  isAnyStepLocked,
  type NewBuildStep,
  readBuildProgress,
  readOpenSteps,
  recordStepError,
  recordStructure,
  runBuildStep,
} from './ledger/build-ledger.js';
export { recordBrought } from './ledger/brought-objects.js';
export {
  type CopyProgress,
  isAnyChunkLocked,
  readCopyProgress,
  readOpenChunks,
  readTableLoads,
  recordChunkError,
  settleTables,
  startTables,
  type TableStart,
  withdrawChunks,
} from './ledger/chunk-ledger.js';
export { isFinisherAtWork, tryLockFinisher, tryLockHolder } from './ledger/holder-lock.js';
export { isOneMoment, type OpenJoin, readOpenJoin } from './ledger/join.js';
export {
  type LedgerError,
  ledgerChannel,
  ledgerFailure,
  type LedgerWatch,
  notifyLedger,
  watchLedger,
} from './ledger/ledger-events.js';
export { dropTaskBookkeeping, openLedger } from './ledger/ledger-schema.js';
export {
  finishLoad,
  forgetSnapshot,
  type LoadRecord,
  markCopied,
  markLoaded,
  readLoad,
  recordLoadError,
  recordSnapshot,
  type SnapshotRecord,
} from './ledger/load-record.js';
export { readRoleRecords, recordRoles, type RoleRecord } from './ledger/role-ledger.js';
export { type RolesOfLargeObjects } from './large-objects/large-object-attributes.js';
export {
  areLargeObjects,
  LARGE_OBJECTS,
  objectsPerChunk,
  planLargeObjectChunks,
} from './large-objects/plan-large-objects.js';
export { type LiveCopy, readLiveCopy } from './live-copy-bytes.js';
export { type ChunkingOptions, type ChunkPlan, planChunks, tableKey } from './plan-chunks.js';
export { dropPublication, ensurePublication, publishedTables, publishTables, withdrawTables } from './publication.js';
export { connectSource, connectTarget, type SessionOptions } from './sessions.js';
export { dropSlot, slotExists } from './slot.js';
