import { type Lsn, ZERO_LSN } from '@sluice/model';
import { type Endpoint } from '@sluice/postgres-client';
import { decodeCommit } from './pgoutput/decode.js';
import { frames } from './pgoutput/frame-cursor.js';
import { MESSAGE_KIND } from './pgoutput/message-kind.js';
import { openWalStream, type WalStream } from './wal-stream.js';

export interface SlotToRead {
  readonly endpoint: Endpoint;
  readonly slotName: string;
  readonly publicationName: string;
}

export interface Reading {
  readonly stream: WalStream;
  /** Kinds of the messages received, one letter each. */
  readonly kinds: string[];
  readonly commits: Lsn[];
  readonly keepalives: Lsn[];
  readonly ended: Promise<void>;
  bytes: number;
}

/** Reads a slot, remembering what came. */
export async function startReading(
  { endpoint, slotName, publicationName }: SlotToRead,
  options: { startLsn?: Lsn; signal?: AbortSignal; statusIntervalMs?: number } = {},
): Promise<Reading> {
  const stream = await openWalStream(endpoint, {
    slotName,
    publicationName,
    startLsn: options.startLsn ?? ZERO_LSN,
    applicationName: 'spec',
    signal: options.signal ?? new AbortController().signal,
    ...(options.statusIntervalMs !== undefined && { statusIntervalMs: options.statusIntervalMs }),
  });
  const reading = { stream, kinds: [] as string[], commits: [] as Lsn[], keepalives: [] as Lsn[], bytes: 0 };
  const ended = stream.read({
    changes: (run) => {
      reading.bytes += run.length;
      for (const frame of frames(run)) {
        reading.kinds.push(String.fromCharCode(frame.kind));
        if (frame.kind === MESSAGE_KIND.commit) reading.commits.push(decodeCommit(run, frame.payloadOffset).endLsn);
      }
    },
    keepalive: ({ walEnd }) => reading.keepalives.push(walEnd),
    exhausted: () => undefined,
  });
  ended.catch(() => undefined);
  return Object.assign(reading, { ended });
}
