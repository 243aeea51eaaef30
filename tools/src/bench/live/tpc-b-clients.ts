import { type PostgresServer } from '@sluice/embedded';
import { delay } from '@sluice/kernel';
import { openClient } from '../bench-servers.js';
import { type ProductionOptions } from './pgbench.js';

const ACCOUNTS_PER_BRANCH = 100_000;
const TELLERS_PER_BRANCH = 10;
const DELTA_MAX = 5_000;

/** What pgbench's default script does, over as many sessions. @returns how many transactions were committed. */
export async function runTpcBClients(
  server: PostgresServer,
  database: string,
  { seconds, rate, clientCount }: ProductionOptions & { readonly clientCount: number },
): Promise<number> {
  await using counting = await openClient(server, database);
  const { rows } = await counting.query<{ branches: number }>('SELECT count(*)::int AS branches FROM pgbench_branches');
  const branches = rows[0]?.branches ?? 1;
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + seconds * 1000;
  let count = 0;
  const clients = Array.from({ length: clientCount }, async (_, index) => {
    await using client = await openClient(server, database);
    for (let turn = 0; ; turn += 1) {
      // Each client has its share of the rate, and they do not all begin at once.
      const dueAtMs = rate === undefined ? 0 : startedAtMs + ((turn * clientCount + index) / rate) * 1000;
      if (Math.max(dueAtMs, performance.now()) >= endsAtMs) return;
      if (dueAtMs > performance.now()) await delay(dueAtMs - performance.now());
      await client.query(transaction(branches));
      count += 1;
    }
  });
  await Promise.all(clients);
  return count;
}

function transaction(branches: number): string {
  const upTo = (count: number): number => 1 + Math.floor(Math.random() * count);
  const account = upTo(branches * ACCOUNTS_PER_BRANCH);
  const teller = upTo(branches * TELLERS_PER_BRANCH);
  const branch = upTo(branches);
  const delta = upTo(2 * DELTA_MAX + 1) - DELTA_MAX - 1;
  return `BEGIN;
    UPDATE pgbench_accounts SET abalance = abalance + ${delta} WHERE aid = ${account};
    SELECT abalance FROM pgbench_accounts WHERE aid = ${account};
    UPDATE pgbench_tellers SET tbalance = tbalance + ${delta} WHERE tid = ${teller};
    UPDATE pgbench_branches SET bbalance = bbalance + ${delta} WHERE bid = ${branch};
    INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (${teller}, ${branch}, ${account}, ${delta}, CURRENT_TIMESTAMP);
    END`;
}
