import { Kvm } from '@nats-io/kv';
import { DESIRED_BUCKET, DesiredState, type TaskId } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Bus } from './bus.js';
import { busUnavailable, hasJsError, invalidMessage, isNoResponders, JS_ERROR } from './bus-error.js';

/** What people ordered for the tasks: one value per task, read by level, not by edge. */
export interface DesiredStates {
  put(taskId: TaskId, state: DesiredState): Promise<void>;
  get(taskId: TaskId): Promise<DesiredState | null>;
  /**
   * The current order, if there is one, and then every newer one. Survives reconnects and the loss of the bucket;
   * of several orders in quick succession only the last may be seen.
   */
  watch(taskId: TaskId, options: { readonly signal: AbortSignal }): AsyncGenerator<DesiredState, void, undefined>;
  delete(taskId: TaskId): Promise<void>;
}

interface StoredState {
  readonly revision: number;
  readonly text: string;
  readonly state: DesiredState;
}

/** An order is seen at once; this bounds how late it is seen when the message that announces it was lost. */
const POLL_INTERVAL_MS = 3_000;
/** The announcement can overtake the storing of the value by a moment, so the bucket is read a second time. */
const SECOND_LOOK_MS = 100;
const READY_TIMEOUT_MS = 5_000;

export function desiredStates(bus: Bus): DesiredStates {
  const open = (): ReturnType<Kvm['open']> => new Kvm(bus.connection).open(DESIRED_BUCKET, { allow_direct: false });
  const readAll = async (taskId: TaskId): Promise<StoredState | null> => {
    const entry = await withBucket(bus, 'read', async () => (await open()).get(taskId));
    if (entry?.operation !== 'PUT') return null;
    const parsed = DesiredState.safeParse(entry.json());
    if (!parsed.success) throw invalidMessage(`desired state of ${taskId}`, parsed.error.message);
    return { revision: entry.revision, text: entry.string(), state: parsed.data };
  };
  return {
    put: async (taskId, state) => {
      const text = JSON.stringify(DesiredState.parse(state));
      await withBucket(bus, 'write', async () => (await open()).put(taskId, text));
    },
    get: async (taskId) => (await readAll(taskId))?.state ?? null,
    watch: (taskId, { signal }) => watchState(bus, { taskId, signal, read: () => readAll(taskId) }),
    delete: (taskId) => withBucket(bus, 'delete', async () => (await open()).purge(taskId)),
  };
}

interface Watch {
  readonly taskId: TaskId;
  readonly signal: AbortSignal;
  readonly read: () => Promise<StoredState | null>;
}

/**
 * A write to the bucket is an ordinary message on the key's subject: hearing it is the moment to read the bucket.
 * No consumer is kept on the server, so there is none to be lost with it.
 */
async function* watchState(bus: Bus, { taskId, signal, read }: Watch): AsyncGenerator<DesiredState, void, undefined> {
  let wake: () => void = () => undefined;
  const subscription = bus.connection.subscribe(`$KV.${DESIRED_BUCKET}.${taskId}`, { callback: () => wake() });
  const forgetReconnect = bus.on('reconnect', () => wake());
  let last: StoredState | null = null;
  let waitMs = POLL_INTERVAL_MS;
  try {
    while (!signal.aborted) {
      const { promise: woken, resolve } = Promise.withResolvers<number>();
      // Armed before the read, so that a write during the read is not missed.
      wake = () => resolve(SECOND_LOOK_MS);
      const current = bus.isConnected ? await read().catch(() => null) : null;
      if (current && (current.revision !== last?.revision || current.text !== last.text)) {
        last = current;
        yield current.state;
      }
      const pause = new AbortController();
      const sleep = delay(waitMs, AbortSignal.any([signal, pause.signal])).then(
        () => POLL_INTERVAL_MS,
        () => POLL_INTERVAL_MS,
      );
      waitMs = await Promise.race([woken, sleep]);
      pause.abort();
    }
  } finally {
    forgetReconnect();
    subscription.unsubscribe();
  }
}

/** Runs `work`; makes the bucket first if it is not there. */
async function withBucket<T>(bus: Bus, what: string, work: () => Promise<T>): Promise<T> {
  try {
    // A watcher hears what is written while there is no bucket, so that the writer would not learn that nobody stores it.
    await bus.whenReady(READY_TIMEOUT_MS);
    try {
      return await bus.whileConnected(work());
    } catch (error) {
      if (!isNoResponders(error) && !hasJsError(error, JS_ERROR.streamNotFound)) throw error;
    }
    await bus.ensureTopology();
    return await bus.whileConnected(work());
  } catch (error) {
    throw busUnavailable(`${what} of the desired state`, error);
  }
}
