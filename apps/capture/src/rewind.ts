import { rewindMessages, type TaskId } from '@sluice/contracts';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Bus, subscribe } from '@sluice/messaging';
import { deferred } from '@sluice/kernel';

/** What apply wants to be sent again, and how. */
export interface Rewind {
  /** Everything up to it is on the target and visible there, if not yet on its disk. */
  readonly checkpointLsn: Lsn;
  readonly needsText: boolean;
  readonly needsWhole: boolean;
}

export interface RewindListening extends Disposable {
  /** Resolves when apply cannot go on with this session. */
  readonly requested: Promise<Rewind>;
}

/**
 * A request without a session was made before apply saw our first batch, or is repeated while that is on its way; after
 * this time it means that our batches are gone.
 */
const UNKNOWN_SESSION_GRACE_MS = 5_000;

/** Listens for apply's request to send changes again. A request that names an older session has been answered by ours. */
export function listenForRewind(
  bus: Bus,
  { taskId, session }: { readonly taskId: TaskId; readonly session: string },
): RewindListening {
  const startedAtMs = Date.now();
  const requested = deferred<Rewind>();
  const listening = subscribe(bus, rewindMessages, {
    params: { taskId },
    handle: ({ checkpointLsn, needsText = false, needsWhole = false, ...message }) => {
      const isUnknown = message.session === null && Date.now() - startedAtMs >= UNKNOWN_SESSION_GRACE_MS;
      if (message.session !== session && !isUnknown) return;
      requested.resolve({ checkpointLsn: parseLsn(checkpointLsn), needsText, needsWhole });
    },
  });
  return { requested: requested.promise, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}
