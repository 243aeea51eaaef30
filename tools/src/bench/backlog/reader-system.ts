import { type Lsn, parseLsn } from '@sluice/model';
import { openWalStream } from '@sluice/postgres-replication';
import { type BenchContext } from '../bench-case.js';
import { checkpointBoth } from '../bench-servers.js';
import { type System } from '../measurement.js';
import { DATABASE, dropUnusedSlot, PUBLICATION, restoreSlot } from './backlog.js';

const SLOT = 'reader_slot';

/** What the walsender alone takes: a reader that throws the bytes away. */
export function readerSystem(
  { servers }: BenchContext,
  { savedSlot, endLsn }: { readonly savedSlot: string; readonly endLsn: Lsn },
): System {
  const { source } = servers;
  return {
    name: 'limit',
    prepare: async () => {
      await restoreSlot(source, SLOT, savedSlot);
      await checkpointBoth(servers);
    },
    run: async () => {
      const stop = new AbortController();
      const stream = await openWalStream(source.endpoint(DATABASE), {
        slotName: SLOT,
        publicationName: PUBLICATION,
        startLsn: parseLsn('0/0'),
        applicationName: 'bench reader',
        signal: stop.signal,
      });
      // A backlog is read as capture reads it.
      stream.isBehind = true;
      const end = (): void => {
        if (stream.receivedLsn >= endLsn) stop.abort();
      };
      await stream
        .read({
          changes: end,
          keepalive: ({ walEnd }) => (walEnd >= endLsn ? stop.abort() : undefined),
          exhausted: end,
        })
        .catch((error: unknown) => {
          if (!stop.signal.aborted) throw error;
        });
      await stream[Symbol.asyncDispose]();
    },
    verify: () => dropUnusedSlot(source, SLOT),
  };
}
