import { z } from 'zod';
import { LsnTextSchema, TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

/**
 * The change stream of a task: subject `sluice.v1.changes.<task>`, payload binary, see docs/replication/02-change-stream.md.
 * A payload is a run of CopyData frames exactly as the source sent them
 * (`d`, int32 length, `w`, int64 dataStart, int64 walEnd, int64 sendTime, pgoutput message), keepalives left out,
 * headed by the Relation frames that its changes need, so that a consumer can start at any transaction's begin.
 */
export const CHANGE_HEADERS = {
  /** Random id of the capture session that wrote the batch. */
  session: 'Sluice-Session',
  /** Position of the batch within its session: 0, 1, 2 … without a gap. */
  ordinal: 'Sluice-Ordinal',
  /**
   * The watermark before this batch; on ordinal 0 the LSN from which the session is complete. A consumer may begin
   * with this batch only if its checkpoint is not below it and the batch begins with a transaction.
   */
  previousLsn: 'Sluice-Previous-Lsn',
  /** On ordinal 0: what the slot had confirmed. A consumer whose checkpoint is below it lacks changes that cannot be sent again. */
  slotLsn: 'Sluice-Slot-Lsn',
  /** Every transaction that ends at or below it is complete within the session up to and including this batch. On every batch; never below `previousLsn`. */
  watermarkLsn: 'Sluice-Watermark-Lsn',
  /**
   * `1` when the batch begins inside a transaction, `frame` when inside a frame: a consumer can begin with the former only
   * if that transaction ends at or below its checkpoint, and never with the latter.
   */
  continues: 'Sluice-Continues',
  /** `1` when the last frame goes on in the next batch. */
  partial: 'Sluice-Partial',
  /** `1` on the last batch of a task that ends: nothing follows. */
  final: 'Sluice-Final',
  /** `1` on batches whose values are in the binary form of their types, which all are portable ones. */
  binary: 'Sluice-Binary',
  /**
   * The transaction whose changes the batch holds, and nothing else, while it still runs at the source. Its frames have the xid of the
   * (sub)transaction that made the change before the message. What becomes of it is said by a Stream Commit or Stream Abort among the others.
   */
  streamedXid: 'Sluice-Streamed-Xid',
  /** `1` on the session's first batch of a streamed transaction: a consumer can take that transaction up only here. */
  streamedFirst: 'Sluice-Streamed-First',
  /** When the batch was packed: clock of the source, microseconds since 1970. Absent until capture knows that clock. */
  capturedAt: 'Sluice-Captured-At',
  /** On ordinal 0: which server the session reads, see `SourceIdentity` in libs/model. */
  source: 'Sluice-Source',
} as const;

/**
 * Apply may remove batches of a transaction of more bytes before it has committed, as the stream is bounded and the
 * transaction may not be. With `confirm: stored` capture confirms such a transaction only once it is applied.
 */
export const EARLY_ACK_BYTES = 64 * 1024 * 1024;

/** Copies of a change stream that make it as safe as the source: one server may be lost. */
export const STORED_REPLICAS_MIN = 3;

/** Largest payload of a batch, bytes; NATS allows 1 MiB per message by default, headers included. */
export const CHANGE_BATCH_BYTES_MAX = 512 * 1024;

export const taskChanges = {
  format: ({ taskId }: { taskId: TaskId }): string => `sluice.v1.changes.${taskId}`,
  streamName: ({ taskId }: { taskId: TaskId }): string => `SLUICE_CHANGES_${taskId.replaceAll('-', '')}`,
};

/** Apply tells capture how far the target is durable. Repeated at least every second; losing one costs nothing. */
export const AppliedMessage = z.object({
  version: z.literal(1),
  taskId: TaskId,
  durableLsn: LsnTextSchema,
  /** Tables whose rows are still to be copied: a task that ends waits for them. */
  pendingTables: z.number().int().nonnegative().optional(),
});
export type AppliedMessage = z.infer<typeof AppliedMessage>;
export const appliedMessages = defineSubject({
  pattern: 'sluice.v1.applied.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.applied.${taskId}`,
  payload: AppliedMessage,
});

/** Apply asks capture for the time of the source, as the clocks of the three machines differ. */
export const ClockRequest = z.object({ version: z.literal(1), taskId: TaskId });
export type ClockRequest = z.infer<typeof ClockRequest>;
/** Microseconds since 1970 on the source's clock; null when capture does not know it yet. */
export const ClockReply = z.object({ version: z.literal(1), sourceTimeMicros: z.number().nullable() });
export type ClockReply = z.infer<typeof ClockReply>;
export const clockRequests = defineSubject({
  pattern: 'sluice.v1.clock.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.clock.${taskId}`,
  payload: ClockRequest,
});

/** Apply found a gap after `checkpointLsn`: capture must start a new session. Repeated until a new session's first batch arrives. */
export const RewindMessage = z.object({
  version: z.literal(1),
  taskId: TaskId,
  session: z.string().nullable(),
  checkpointLsn: LsnTextSchema,
  /** Values are needed in their text form; capture sends them so until its run ends. */
  needsText: z.boolean().optional(),
  /** Transactions are needed as a whole, after their commit; capture sends them so until its run ends. */
  needsWhole: z.boolean().optional(),
});
export type RewindMessage = z.infer<typeof RewindMessage>;
export const rewindMessages = defineSubject({
  pattern: 'sluice.v1.rewind.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.rewind.${taskId}`,
  payload: RewindMessage,
});
