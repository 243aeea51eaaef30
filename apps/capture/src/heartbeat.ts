import { type Client } from '@sluice/postgres-client';
import { type Lsn } from '@sluice/model';

/** A source as the watch saw it. */
export interface IdleSight {
  readonly walEndLsn: Lsn;
  readonly slotConfirmedLsn: Lsn;
  /** Transactions that the stream has brought so far. */
  readonly transactionCount: number;
  /** Something is on its way to the target: the slot moves when that arrives. */
  readonly isOutstanding: boolean;
}

/** A heartbeat is WAL, too: less than this is not worth one. */
const WAL_GROWTH_BYTES_MIN = 1024n * 1024n;

/** WAL has grown since the look before, the stream is idle, and the slot has not moved by itself. */
export function isHeartbeatDue(before: IdleSight, now: IdleSight): boolean {
  return (
    now.walEndLsn - before.walEndLsn >= WAL_GROWTH_BYTES_MIN &&
    now.transactionCount === before.transactionCount &&
    now.slotConfirmedLsn === before.slotConfirmedLsn &&
    !now.isOutstanding
  );
}

/**
 * Writes a commit into the source's WAL that the slot has to decode. A message that is not part of a transaction would not
 * bring a position at which nothing is open. What the function returns is not the commit's position, so it is not used.
 */
export async function sendHeartbeat(client: Client): Promise<void> {
  await client.query(`SELECT pg_catalog.pg_logical_emit_message(true, 'sluice_heartbeat', '')`);
}
