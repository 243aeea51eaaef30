export { classifyReplicationError } from './classify-replication-error.js';
export { type Keepalive } from './copy-both-framing.js';
export {
  FRAME_HEADER_BYTES,
  FrameCursor,
  type FrameRange,
  frames,
  STREAMED_FRAME_HEADER_BYTES,
} from './pgoutput/frame-cursor.js';
export {
  type Begin,
  type Commit,
  decodeBegin,
  decodeCommit,
  decodeMessage,
  decodeOrigin,
  decodeRelation,
  decodeStreamAbort,
  decodeStreamCommit,
  decodeStreamStart,
  decodeTruncate,
  decodeType,
  type LogicalMessage,
  type Origin,
  type Relation,
  type RelationColumn,
  type RelationOid,
  relationOid,
  type ReplicaIdentity,
  type StreamAbort,
  type StreamCommit,
  type StreamStart,
  type Truncate,
  type TypeName,
} from './pgoutput/decode.js';
export { CELL_KIND, MESSAGE_KIND } from './pgoutput/message-kind.js';
export { newRowChange, readTuple, type RowChange, rowChange, TupleView } from './pgoutput/row-change.js';
export { openWalStream, type WalConsumer, WalStream, type WalStreamOptions } from './wal-stream.js';
export { readSourceFacts, type SourceFacts } from './source-facts.js';
export { binaryTypeOids, portableTypeOids } from './portable-types.js';
export { ConfirmationTracker, type ConfirmWhen } from './confirmation-tracker.js';
export {
  publishedStrangers,
  publishedTableOids,
  requirePublication,
  type UnpublishedTable,
  unpublishedTables,
} from './publication.js';
export {
  currentWalLsn,
  dropSlot,
  type ExistingSlot,
  pushWalForward,
  readSlot,
  requireSlot,
  type SlotFacts,
  takeOverSlot,
  terminateSlotReader,
} from './slot.js';
