import { type Lsn, parseLsn } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { decodeCommit, FRAME_HEADER_BYTES, MESSAGE_KIND } from '@sluice/postgres-replication';

interface Recording {
  /** Several recordings of the same changes have a slot each. */
  readonly slot?: string;
  /** Values in their binary form. */
  readonly binary?: boolean;
  /** With logical messages (PostgreSQL 14 and newer). */
  readonly messages?: boolean;
}

const SLOT = 'recorder';
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** A transaction as real pgoutput bytes in the CopyData frames that a walsender would send. */
export interface RecordedTransaction {
  readonly commitLsn: Lsn;
  readonly endLsn: Lsn;
  readonly commitTime: Date;
  readonly frames: Buffer;
}

/** Makes a publication of all tables and a slot, so that every later change can be read. */
export async function startRecording(source: Client, { slot = SLOT }: Recording = {}): Promise<void> {
  const { rowCount } = await source.query("SELECT FROM pg_publication WHERE pubname = 'recorded'");
  if (rowCount === 0) await source.query('CREATE PUBLICATION recorded FOR ALL TABLES');
  await source.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
}

/** The transactions since the last call, in commit order. */
export async function takeRecorded(
  source: Client,
  { slot = SLOT, binary = false, messages = false }: Recording = {},
): Promise<RecordedTransaction[]> {
  const options = `${binary ? ", 'binary', 'true'" : ''}${messages ? ", 'messages', 'true'" : ''}`;
  const { rows } = await source.query<{ lsn: string; data: Buffer }>(
    `SELECT lsn::text, data FROM pg_logical_slot_get_binary_changes('${slot}', NULL, NULL, 'proto_version', '1',
       'publication_names', 'recorded'${options})`,
  );
  const transactions: RecordedTransaction[] = [];
  let open: Buffer[] = [];
  for (const { lsn, data } of rows) {
    open.push(frame(data, parseLsn(lsn)));
    if (data[0] !== MESSAGE_KIND.commit) continue;
    const { commitLsn, endLsn, commitTimeMicros } = decodeCommit(data, 0);
    const commitTime = new Date(Number(commitTimeMicros / 1000n) + POSTGRES_EPOCH_MS);
    transactions.push({ commitLsn, endLsn, commitTime, frames: Buffer.concat(open) });
    open = [];
  }
  return transactions;
}

function frame(message: Buffer, lsn: Lsn): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.write('d', 0);
  header.writeInt32BE(FRAME_HEADER_BYTES - 1 + message.length, 1);
  header.write('w', 5);
  header.writeBigUInt64BE(lsn, 6);
  header.writeBigUInt64BE(lsn, 14);
  return Buffer.concat([header, message]);
}
