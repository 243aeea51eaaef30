import { delay } from '@sluice/kernel';
import { type Client } from '@sluice/postgres-client';
import { isServerGone } from './server-gone.js';
import { sampleTraffic, seededRandom, type TestDatabase, waitFor } from '@sluice/testing';

export interface Writers extends AsyncDisposable {
  /** Transactions that the source has committed. */
  committed(): number;
  /** Resolves when that many more are. */
  untilMore(count: number): Promise<void>;
  /** Lets the transactions that run end. Rejects when one was refused that should not be. @returns how many were committed */
  stop(): Promise<number>;
}

const ACCOUNT_COUNT = 40;
/** Leaves most of two cores to what is under test. */
const PAUSE_MS = 15;
const TRAFFIC_TRANSACTIONS = 3;

/** Writes of all kinds on the mixed schema, from three sessions, until they are stopped. */
export async function startWriters(source: TestDatabase, seed: number): Promise<Writers> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let committedCount = 0;
  const committed = (count: number): void => {
    committedCount += count;
  };
  const kinds = [writeTraffic, moveMoney, appendInOrder];
  const sessions = await Promise.all(kinds.map(() => source.connect()));
  const writers = kinds.map((write, index) => {
    const client = sessions[index];
    if (!client) throw new Error('a writer has no session');
    return writeOn(source, write, { client, seed: seed * 10 + index, signal, committed });
  });
  let failure: { readonly error: unknown } | null = null;
  const done = Promise.all(writers);
  // Whoever waits for the writers or stops them is told; until then a failure must not end the test run.
  done.catch((error: unknown) => {
    failure = { error };
  });
  const stop = async (): Promise<number> => {
    stopping.abort();
    await done;
    return committedCount;
  };
  return {
    committed: () => committedCount,
    untilMore: async (count) => {
      const wanted = committedCount + count;
      const look = (): boolean => {
        if (failure) throw failure.error;
        return committedCount >= wanted;
      };
      await waitFor(`${count} more transactions`, look);
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop().catch(() => undefined)),
  };
}

interface Writer {
  readonly client: Client;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly committed: (count: number) => void;
}

/** An application whose server went away comes back with it. What was committed then and not answered is not counted. */
async function writeOn(source: TestDatabase, write: (writer: Writer) => Promise<void>, first: Writer): Promise<void> {
  let writer = first;
  while (!writer.signal.aborted) {
    try {
      await write(writer);
    } catch (error) {
      if (!isServerGone(error)) throw error;
      const client = await reconnect(source, writer.signal);
      if (client) writer = { ...writer, client, seed: writer.seed + 1_000 };
    }
  }
}

async function reconnect(source: TestDatabase, signal: AbortSignal): Promise<Client | null> {
  while (!signal.aborted) {
    try {
      return await source.connect();
    } catch (error) {
      if (!isServerGone(error)) throw error;
      await pause(signal);
    }
  }
  return null;
}

const pause = (signal: AbortSignal): Promise<void> => delay(PAUSE_MS, signal).catch(() => undefined);

/** Inserts, updates, key changes, deletes, savepoints, TOAST, keyless tables, partition moves. */
async function writeTraffic({ client, seed, signal, committed }: Writer): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    committed(
      await sampleTraffic(client, { seed: seed * 100_000 + round, transactions: TRAFFIC_TRANSACTIONS, signal }),
    );
    await pause(signal);
  }
}

async function moveMoney({ client, seed, signal, committed }: Writer): Promise<void> {
  const random = seededRandom(seed);
  const account = (): number => 1 + Math.floor(random() * ACCOUNT_COUNT);
  while (!signal.aborted) {
    const amount = Math.floor(random() * 100);
    await client.query('BEGIN');
    await client.query('UPDATE bank.checking SET balance = balance - $2 WHERE id = $1', [account(), amount]);
    await client.query('SAVEPOINT mistake');
    await client.query('UPDATE bank.savings SET balance = 0 WHERE id = $1', [account()]);
    await client.query('ROLLBACK TO mistake');
    await client.query('UPDATE bank.savings SET balance = balance + $2 WHERE id = $1', [account(), amount]);
    await client.query('COMMIT');
    committed(1);
    await pause(signal);
  }
}

/** One transaction writes the earlier row, a second one the later. */
async function appendInOrder({ client, signal, committed }: Writer): Promise<void> {
  const { rows } = await client.query<{ next: number }>('SELECT (count(*) + 1)::int AS next FROM line.earlier');
  for (let n = rows[0]?.next ?? 1; !signal.aborted; n += 1) {
    await client.query('INSERT INTO line.earlier VALUES ($1)', [n]);
    await client.query('INSERT INTO line.later VALUES ($1)', [n]);
    committed(2);
    await pause(signal);
  }
}
