import { type Lsn } from '@sluice/model';

export interface StandbyStatus {
  /** How far bytes have arrived here; the source only shows it. */
  readonly receivedLsn: Lsn;
  /** How far the target is durable. The slot moves to it, so that it must never be above (I1). 0/0 confirms nothing. */
  readonly confirmedLsn: Lsn;
  /** Asks the source for a keepalive at once. */
  readonly requestsReply: boolean;
}

/** 2000-01-01 00:00 UTC, where PostgreSQL's timestamps begin, in milliseconds since 1970. */
export const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
/** `d`, int32 length, `r`, int64 written, int64 flushed, int64 applied, int64 clock, byte replyRequested. */
const MESSAGE_BYTES = 39;

/**
 * A Standby Status Update as a CopyData message.
 * The LSNs go out as they are: a commit's end LSN is already the first byte of what follows, and one more would make
 * the source skip a commit record that begins right there.
 */
export function encodeStandbyStatus(status: StandbyStatus, nowMs: number = Date.now()): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.write('d', 0, 'latin1');
  message.writeInt32BE(MESSAGE_BYTES - 1, 1);
  message.write('r', 5, 'latin1');
  message.writeBigUInt64BE(status.receivedLsn, 6);
  message.writeBigUInt64BE(status.confirmedLsn, 14);
  message.writeBigUInt64BE(status.confirmedLsn, 22);
  message.writeBigInt64BE(BigInt(Math.round(nowMs - POSTGRES_EPOCH_MS)) * 1000n, 30);
  message.writeUInt8(status.requestsReply ? 1 : 0, 38);
  return message;
}
