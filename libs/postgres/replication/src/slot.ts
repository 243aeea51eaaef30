import { SluiceError } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Client, hasSqlState, SQLSTATE } from '@sluice/postgres-client';

export type SlotFacts =
  | { readonly exists: false }
  | {
      readonly exists: true;
      readonly isActive: boolean;
      /** Process of the walsender that reads it. */
      readonly activePid: number | null;
      readonly confirmedFlushLsn: Lsn;
      readonly restartLsn: Lsn | null;
      /** `reserved`, `extended`, `unreserved`, `lost`; null before PostgreSQL 13. */
      readonly walStatus: string | null;
      /** WAL that may still be written before the slot is lost, bytes; null when unbounded, and before PostgreSQL 13. */
      readonly safeBytes: number | null;
      /** Why the server does not let it be read any more; null when it does. */
      readonly invalidation: string | null;
      readonly plugin: string;
      readonly database: string;
      /** WAL that the server keeps for the slot, bytes. */
      readonly retainedBytes: number;
    };

interface SlotRow {
  active: boolean;
  active_pid: number | null;
  confirmed_flush_lsn: string;
  restart_lsn: string | null;
  wal_status: string | null;
  safe_bytes: string | null;
  invalidation: string | null;
  plugin: string;
  database: string;
  retained_bytes: string;
}

const SLOT_POLL_MS = 50;

/** What the source says about a logical slot. PostgreSQL 10–18. */
export async function readSlot(client: Client, slotName: string): Promise<SlotFacts> {
  // to_jsonb gives null for a column that this version does not have (wal_status and safe_wal_size: since 13, conflicting:
  // 16, invalidation_reason: 17).
  const { rows } = await client.query<SlotRow>(
    `SELECT active, active_pid, confirmed_flush_lsn::text, restart_lsn::text, plugin::text, database::text,
            pg_catalog.to_jsonb(slot) ->> 'wal_status' AS wal_status,
            pg_catalog.to_jsonb(slot) ->> 'safe_wal_size' AS safe_bytes,
            CASE WHEN pg_catalog.to_jsonb(slot) ->> 'invalidation_reason' IS NOT NULL
                   THEN pg_catalog.to_jsonb(slot) ->> 'invalidation_reason'
                 WHEN pg_catalog.to_jsonb(slot) ->> 'conflicting' = 'true' THEN 'conflict with recovery'
                 WHEN pg_catalog.to_jsonb(slot) ->> 'wal_status' = 'lost' THEN 'the WAL that it needs was removed'
            END AS invalidation,
            coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn), 0)::text AS retained_bytes
       FROM pg_catalog.pg_replication_slots AS slot
      WHERE slot_name = $1 AND slot_type = 'logical'`,
    [slotName],
  );
  const row = rows[0];
  if (!row) return { exists: false };
  return {
    exists: true,
    isActive: row.active,
    activePid: row.active_pid,
    confirmedFlushLsn: parseLsn(row.confirmed_flush_lsn),
    restartLsn: row.restart_lsn === null ? null : parseLsn(row.restart_lsn),
    walStatus: row.wal_status,
    safeBytes: row.safe_bytes === null ? null : Number(row.safe_bytes),
    invalidation: row.invalidation,
    plugin: row.plugin,
    database: row.database,
    retainedBytes: Number(row.retained_bytes),
  };
}

export type ExistingSlot = Extract<SlotFacts, { exists: true }>;

/** @throws SluiceError 4001 when somebody dropped the slot, 4003 when the server does not let it be read any more. */
export async function requireSlot(client: Client, slotName: string): Promise<ExistingSlot> {
  const slot = await readSlot(client, slotName);
  if (!slot.exists) throw new SluiceError('SLUICE-4001', { detail: `slot ${slotName} does not exist` });
  if (slot.invalidation === null) return slot;
  throw new SluiceError('SLUICE-4003', { detail: `slot ${slotName}: ${slot.invalidation}` });
}

/**
 * The slot has one reader, and the newest run is the right one (I3): ends the session of whoever reads it and waits
 * until it is free. @throws SLUICE-4001 when there is no slot, 4003 when its WAL is gone, 4002 when it stays in use.
 */
export async function takeOverSlot(
  client: Client,
  slotName: string,
  options: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<ExistingSlot> {
  const deadline = Date.now() + options.deadlineMs;
  for (;;) {
    const slot = await requireSlot(client, slotName);
    if (!slot.isActive) return slot;
    if (Date.now() > deadline) {
      throw new SluiceError('SLUICE-4002', { detail: `slot ${slotName} is held by process ${slot.activePid}` });
    }
    await terminateSlotReader(client, slotName);
    await delay(SLOT_POLL_MS, options.signal);
  }
}

/** Ends the walsender that reads the slot; true when there was one. It takes a moment until the slot is free. */
export async function terminateSlotReader(client: Client, slotName: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT pg_catalog.pg_terminate_backend(active_pid)
       FROM pg_catalog.pg_replication_slots
      WHERE slot_name = $1 AND active_pid IS NOT NULL`,
    [slotName],
  );
  return (rowCount ?? 0) > 0;
}

/** Drops the slot, ending its reader if there is one. A slot that does not exist is no error. */
export async function dropSlot(
  client: Client,
  slotName: string,
  options: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<void> {
  const deadline = Date.now() + options.deadlineMs;
  for (;;) {
    try {
      await client.query('SELECT pg_catalog.pg_drop_replication_slot($1)', [slotName]);
      return;
    } catch (error) {
      if (hasSqlState(error, SQLSTATE.undefinedObject)) return;
      if (!hasSqlState(error, SQLSTATE.objectInUse)) throw error;
      if (Date.now() > deadline) {
        throw new SluiceError('SLUICE-4002', { detail: `slot ${slotName} could not be dropped`, cause: error });
      }
    }
    await terminateSlotReader(client, slotName);
    await delay(SLOT_POLL_MS, options.signal);
  }
}

/** The end of WAL: everything that is committed now lies below it. */
export async function currentWalLsn(client: Client): Promise<Lsn> {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_catalog.pg_current_wal_lsn()::text AS lsn');
  return parseLsn(rows[0]?.lsn ?? '0/0');
}

/**
 * Lets the walsender get beyond the position that was read before: WAL of an idle source can end in the middle of a record
 * whose rest nobody flushes for up to 20 s. A commit record without changes is written and flushed within wal_writer_delay.
 */
export async function pushWalForward(client: Client): Promise<void> {
  await client.query('SELECT pg_catalog.txid_current()');
}
