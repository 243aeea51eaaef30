import { rewindMessages, type TaskId } from '@sluice/contracts';
import { type Bus, subscribe } from '@sluice/messaging';
import { deferred } from '@sluice/kernel';

export interface RewindListening extends Disposable {
  /** Resolves when apply cannot go on with this session. */
  readonly requested: Promise<{ readonly needsText: boolean }>;
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
  const requested = deferred<{ readonly needsText: boolean }>();
  const listening = subscribe(bus, rewindMessages, {
    params: { taskId },
    handle: (message) => {
      const isUnknown = message.session === null && Date.now() - startedAtMs >= UNKNOWN_SESSION_GRACE_MS;
      if (message.session === session || isUnknown) requested.resolve({ needsText: message.needsText ?? false });
    },
  });
  return { requested: requested.promise, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}
