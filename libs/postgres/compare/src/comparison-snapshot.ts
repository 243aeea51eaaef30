import { SluiceError } from '@sluice/contracts';
import { type LsnText } from '@sluice/model';
import { type Client, connect, type Endpoint, quoteIdentifier } from '@sluice/postgres-client';
import { randomBytes } from 'node:crypto';

/** A snapshot of the source whose place in WAL is known exactly. It lives until it is disposed of. */
export interface ComparisonSnapshot extends AsyncDisposable {
  readonly snapshotName: string;
  /** Every transaction that commits below it is in the snapshot, no other is. */
  readonly consistentLsn: LsnText;
}

/** Slot creation waits for every transaction that is writing at that moment. */
const SLOT_LOCK_TIMEOUT = '60s';

/**
 * Exports a snapshot by creating a temporary logical slot: the only way to learn the exact LSN of a snapshot while
 * others go on writing. A task that ends at `consistentLsn` must have brought the target to exactly this snapshot.
 * https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-CREATE-REPLICATION-SLOT
 */
export async function exportComparisonSnapshot(source: Endpoint): Promise<ComparisonSnapshot> {
  const client = await connect(source, {
    applicationName: 'comparison snapshot',
    replication: 'database',
    settings: { lock_timeout: SLOT_LOCK_TIMEOUT, statement_timeout: '0', idle_in_transaction_session_timeout: '0' },
  });
  try {
    const { snapshotName, consistentLsn } = await createTemporarySlot(client);
    // The temporary slot and the snapshot end with the session.
    return { snapshotName, consistentLsn, [Symbol.asyncDispose]: () => client.end() };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new SluiceError('SLUICE-3005', {
      detail: `temporary slot for a comparison: ${error instanceof Error ? error.message : String(error)}`,
      cause: error,
    });
  }
}

async function createTemporarySlot(client: Client): Promise<{ snapshotName: string; consistentLsn: LsnText }> {
  const slot = `sluice_compare_${randomBytes(8).toString('hex')}`;
  // This form of the options is understood by PostgreSQL 10–18, the parenthesised one by 15 and later only.
  const { rows } = await client.query<{ snapshot_name: string; consistent_point: LsnText }>(
    `CREATE_REPLICATION_SLOT ${quoteIdentifier(slot)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
  );
  const [row] = rows;
  if (!row) throw new Error('the server returned no slot');
  return { snapshotName: row.snapshot_name, consistentLsn: row.consistent_point };
}
