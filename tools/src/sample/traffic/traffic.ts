import { delay } from '@sluice/kernel';
import { type Client, connect, type Endpoint, sqlStateOf } from '@sluice/postgres-client';
import { type Action, ACTIONS } from './actions.js';
import { type Random, seededRandom } from './random.js';

export interface TrafficOptions {
  readonly signal: AbortSignal;
  readonly seed: number;
  /** Of all connections together; default 120, which leaves most of two cores to the replication. */
  readonly transactionsPerSecond?: number;
}

export interface Traffic {
  stats(): { readonly transactions: number; readonly refused: number };
  /** Resolves when no transaction is open any more. */
  pause(): Promise<void>;
  resume(): void;
  /** Resolves when that many transactions were done in all. */
  reached(transactions: number): Promise<void>;
  /** Resolves after the signal; rejects if the source refuses what it should accept. */
  readonly done: Promise<void>;
}

const CONNECTIONS = 3;
const TRANSACTIONS_PER_SECOND_DEFAULT = 120;
const POLL_MS = 20;
/** Deadlocks, unique violations, lock timeouts are part of life with several writers; syntax errors are not. */
const EXPECTED_SQLSTATES = /^(40|23|55P03)/;
/** A TRUNCATE that has to wait for a reader must not hold up all writers meanwhile. */
const LOCK_TIMEOUT = '1s';

/** Live writes on the sample from several connections, until the signal. */
export function startTraffic(endpoint: Endpoint, options: TrafficOptions): Traffic {
  const state = { transactions: 0, refused: 0, busy: 0, isPaused: false };
  const perWriter = (options.transactionsPerSecond ?? TRANSACTIONS_PER_SECOND_DEFAULT) / CONNECTIONS;
  const intervalMs = 1000 / perWriter;

  const writeUntilStopped = async (index: number): Promise<void> => {
    const random = seededRandom(options.seed * 1000 + index);
    await using client = await connect(endpoint, {
      applicationName: `sample traffic ${index}`,
      settings: { lock_timeout: LOCK_TIMEOUT },
    });
    for (
      let dueMs = performance.now();
      !options.signal.aborted;
      dueMs = Math.max(dueMs + intervalMs, performance.now() - 1000)
    ) {
      await delay(Math.max(0, dueMs - performance.now()), options.signal);
      while (state.isPaused) await delay(POLL_MS, options.signal);
      state.busy += 1;
      try {
        if (await perform(pickAction(random), client, random)) state.transactions += 1;
        else state.refused += 1;
      } finally {
        state.busy -= 1;
      }
    }
  };
  const writers = Array.from({ length: CONNECTIONS }, (_, index) =>
    writeUntilStopped(index).catch((error: unknown) => {
      // After the signal the server may go down at any moment, and nobody waits for the answer any more.
      if (!options.signal.aborted) throw error;
    }),
  );
  const done = Promise.all(writers).then(() => undefined);
  // Whoever awaits `done` or `reached` is told; until then a failure must not end the process.
  done.catch(() => undefined);
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!isReached() && !options.signal.aborted) await Promise.race([delay(POLL_MS), done]);
  };
  return {
    done,
    stats: () => ({ transactions: state.transactions, refused: state.refused }),
    pause: async () => {
      state.isPaused = true;
      await until(() => state.busy === 0);
    },
    resume: () => {
      state.isPaused = false;
    },
    reached: (transactions) => until(() => state.transactions >= transactions),
  };
}

const TOTAL_WEIGHT = ACTIONS.reduce((sum, { weight }) => sum + weight, 0);

function pickAction(random: Random): Action {
  let ticket = random.between(1, TOTAL_WEIGHT);
  for (const action of ACTIONS) {
    ticket -= action.weight;
    if (ticket <= 0) return action;
  }
  return ACTIONS[0];
}

/** @returns false when the server refused it for a reason that several writers can bring about. */
async function perform(action: Action, client: Client, random: Random): Promise<boolean> {
  try {
    await action.run(client, random);
    return true;
  } catch (error) {
    // Most actions have rolled back already; the server only warns about a second time.
    await client.query('ROLLBACK').catch(() => undefined);
    if (EXPECTED_SQLSTATES.test(sqlStateOf(error) ?? '')) return false;
    throw error;
  }
}
