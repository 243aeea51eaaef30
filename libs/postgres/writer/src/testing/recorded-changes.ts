import { type Client } from '@sluice/postgres-client';
import { decodeBegin, decodeCommit, FRAME_HEADER_BYTES, MESSAGE_KIND } from '@sluice/postgres-replication';
import { type SourceTransaction } from '../source-transaction.js';

const SLOT = 'recorder';
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** Makes a publication of all tables and a slot, so that every later change can be read. */
export async function startRecording(source: Client): Promise<void> {
  await source.query(`CREATE PUBLICATION recorded FOR ALL TABLES`);
  await source.query(`SELECT pg_create_logical_replication_slot('${SLOT}', 'pgoutput')`);
}

/** The transactions since the last call, as real pgoutput bytes in the frames that a walsender would send. */
export async function takeRecorded(source: Client): Promise<SourceTransaction[]> {
  const { rows } = await source.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_get_binary_changes('${SLOT}', NULL, NULL, 'proto_version', '1', 'publication_names', 'recorded')`,
  );
  const transactions: SourceTransaction[] = [];
  let open: Buffer[] = [];
  for (const { data } of rows) {
    open.push(frame(data));
    if (data[0] !== MESSAGE_KIND.commit) continue;
    const commit = decodeCommit(data, 0);
    const buffer = Buffer.concat(open);
    const commitTime = new Date(Number(commit.commitTimeMicros / 1000n) + POSTGRES_EPOCH_MS);
    transactions.push({
      commitLsn: commit.commitLsn,
      endLsn: commit.endLsn,
      commitTime,
      runs: [{ buffer, start: 0, end: buffer.length }],
      sizeBytes: buffer.length,
    });
    open = [];
  }
  return transactions;
}

/** The commit LSN that a transaction announces at its beginning. */
export function announcedCommitLsn(transaction: SourceTransaction): bigint {
  const run = transaction.runs[0];
  return run ? decodeBegin(run.buffer, run.start + FRAME_HEADER_BYTES).commitLsn : 0n;
}

function frame(message: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.write('d', 0);
  header.writeInt32BE(FRAME_HEADER_BYTES - 1 + message.length, 1);
  header.write('w', 5);
  return Buffer.concat([header, message]);
}
