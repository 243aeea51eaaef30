import { type Lsn } from '@sluice/model';
import { type Client, connect, type Endpoint } from '@sluice/postgres-client';
import { type ExportedSnapshot, readVisibleXids } from './exported-snapshot.js';
import { disableTimeouts } from './sessions.js';
import { asSlotError, createSlotWithSnapshot, type CreateSlotOptions, dropSlot } from './slot.js';

/** An exported snapshot together with the connection that keeps it alive. Disposal releases it. */
export interface HeldSnapshot extends ExportedSnapshot, AsyncDisposable {
  /** The slot's consistent point: the snapshot sees exactly what committed below it. `null` without a slot. */
  readonly consistentLsn: Lsn | null;
  /** Resolves when the connection ends, and the snapshot with it. */
  readonly lost: Promise<void>;
}

/**
 * Creates a slot and holds the snapshot of its consistent point. The permanent slot of a task is made once; a later
 * snapshot comes from a temporary slot, which lives as long as this connection.
 * @param source an ordinary session, to look for what stands in the way.
 * @throws SluiceError 3005 that names the transactions that were waited for in vain.
 */
export async function holdSlotSnapshot(
  endpoint: Endpoint,
  source: Client,
  options: CreateSlotOptions,
): Promise<HeldSnapshot> {
  const replication = await connect(endpoint, { applicationName: 'snapshot', replication: 'database' });
  const lost = untilEnded(replication);
  try {
    await disableTimeouts(replication);
    // Only a run that was killed before it could record the slot leaves one behind; nobody has read from it.
    if (!options.isTemporary) await dropSlot(source, options.slotName);
    const slot = await createSlotWithSnapshot(replication, options);
    const visibleXids = await readVisibleXids(source, slot.snapshotName);
    return { ...slot, visibleXids, lost, [Symbol.asyncDispose]: () => replication.end() };
  } catch (error) {
    await replication.end().catch(() => undefined);
    throw await asSlotError(error, options.slotName, source);
  }
}

/** For a load that nothing follows: a snapshot without a slot. */
export async function holdPlainSnapshot(endpoint: Endpoint, source: Client): Promise<HeldSnapshot> {
  const session = await connect(endpoint, { applicationName: 'snapshot' });
  const lost = untilEnded(session);
  try {
    await disableTimeouts(session);
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await session.query<{ name: string }>('SELECT pg_catalog.pg_export_snapshot() AS name');
    const snapshotName = rows[0]?.name ?? '';
    const visibleXids = await readVisibleXids(source, snapshotName);
    return { snapshotName, visibleXids, consistentLsn: null, lost, [Symbol.asyncDispose]: () => session.end() };
  } catch (error) {
    await session.end().catch(() => undefined);
    throw error;
  }
}

function untilEnded(client: Client): Promise<void> {
  return new Promise((resolve) => {
    client.once('end', () => resolve());
    client.once('error', () => resolve());
  });
}
