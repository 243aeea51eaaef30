import { SluiceError } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Client, hasSqlState, isConnectionLoss, quoteIdentifier, SQLSTATE } from '@sluice/postgres-client';

export interface NewSlot {
  readonly consistentLsn: Lsn;
  readonly snapshotName: string;
}

export interface CreateSlotOptions {
  readonly slotName: string;
  readonly isTemporary: boolean;
  /** How long running write transactions are waited for, each. */
  readonly lockTimeoutMs: number;
}

/**
 * Creates a slot on a replication connection and exports the snapshot of its consistent point. The snapshot lives until
 * the next command on that connection: there must be none.
 * @throws SluiceError 3005
 */
export async function createSlotWithSnapshot(replication: Client, options: CreateSlotOptions): Promise<NewSlot> {
  // The slot waits for every transaction that writes, and statement_timeout does not end that wait.
  await replication.query(`SET lock_timeout = ${Math.round(options.lockTimeoutMs)}`);
  const kind = options.isTemporary ? 'TEMPORARY LOGICAL' : 'LOGICAL';
  const { rows } = await replication.query<{ consistent_point: string; snapshot_name: string }>(
    // Understood by all versions; 15 added a form with parentheses and kept this one.
    `CREATE_REPLICATION_SLOT ${quoteIdentifier(options.slotName)} ${kind} pgoutput EXPORT_SNAPSHOT`,
  );
  const row = rows[0];
  if (!row) throw new SluiceError('SLUICE-3005', { detail: `${options.slotName}: the server answered nothing` });
  return { consistentLsn: parseLsn(row.consistent_point), snapshotName: row.snapshot_name };
}

/** What went wrong, with the transactions that stood in the way. */
export async function asSlotError(error: unknown, slotName: string, source: Client): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof SluiceError || isConnectionLoss(error)) return error;
  const blockers = hasSqlState(error, SQLSTATE.lockNotAvailable) ? await readBlockers(source) : [];
  const who = blockers.length === 0 ? '' : `; waited for: ${blockers.join('; ')}`;
  return new SluiceError('SLUICE-3005', { detail: `${slotName}: ${error.message}${who}`, cause: error });
}

/** More would not help a person. */
const BLOCKERS_SHOWN_MAX = 10;

/** Transactions that have written and are not over, the oldest first. */
export async function readBlockers(source: Client): Promise<string[]> {
  const { rows } = await source.query<{ who: string }>(
    `SELECT who FROM (
       SELECT pg_catalog.format('pid %s, user %s, database %s, since %s', pid, coalesce(usename, '?'),
                     coalesce(datname, '?'), coalesce(xact_start::text, '?')) AS who, xact_start AS began
       FROM pg_catalog.pg_stat_activity
       WHERE backend_xid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()
       UNION ALL
       SELECT pg_catalog.format('prepared transaction %L, user %s, database %s, since %s', gid, owner, database, prepared),
              prepared
       FROM pg_catalog.pg_prepared_xacts) AS writers
     ORDER BY began NULLS LAST LIMIT $1`,
    [BLOCKERS_SHOWN_MAX],
  );
  return rows.map(({ who }) => who);
}

export async function slotExists(source: Client, slotName: string): Promise<boolean> {
  const { rows } = await source.query('SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1', [slotName]);
  return rows.length > 0;
}

const DROP_ATTEMPTS_MAX = 50;
/** A walsender that was told to end needs a moment to let go. */
const DROP_RETRY_MS = 200;

/** Drops the slot, ending its reader first. A slot that is not there is fine. */
export async function dropSlot(source: Client, slotName: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { rows } = await source.query<{ reader: boolean }>(
      `SELECT active_pid IS NOT NULL AND pg_catalog.pg_terminate_backend(active_pid) AS reader
       FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
      [slotName],
    );
    if (rows.length === 0) return;
    try {
      await source.query('SELECT pg_catalog.pg_drop_replication_slot($1)', [slotName]);
      return;
    } catch (error) {
      if (hasSqlState(error, SQLSTATE.undefinedObject)) return;
      if (!hasSqlState(error, SQLSTATE.objectInUse) || attempt === DROP_ATTEMPTS_MAX) throw error;
    }
    await delay(DROP_RETRY_MS);
  }
}
