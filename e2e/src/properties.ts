import { helperObjectName } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { parseLsn } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { type TestDatabase } from '@sluice/testing';
import { FlushedCommits, WALINSPECT_SINCE } from './flushed-commits.js';
import { isServerGone } from './server-gone.js';

/** Looks at something again and again while faults happen, and remembers what should never be seen. */
export interface Watch extends AsyncDisposable {
  /** How often it has looked. One that never looked proves nothing. */
  samples(): number;
  /** @returns what it saw that must not be; empty is what it should be. */
  stop(): Promise<readonly string[]>;
}

interface Sides {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
}

const SAMPLE_INTERVAL_MS = 100;

/**
 * Invariants I1 and I5: what the slot has confirmed, and the source may therefore forget, the target has on its disk.
 *
 * Order: the slot is read first. What is confirmed then was durable before, so neither a checkpoint nor a flush position
 * that is read later can be too small by the order of the looks alone.
 */
export async function auditConfirmations({ source, target }: Sides, taskId: string): Promise<Watch> {
  const commits = target.server.major >= WALINSPECT_SINCE ? await FlushedCommits.of(target.server) : null;
  const look = async ({ onSource, onTarget }: Sessions): Promise<readonly string[] | null> => {
    const slot = await onSource.query<{ lsn: string }>(
      'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [helperObjectName(taskId)],
    );
    const confirmed = slot.rows[0]?.lsn;
    if (confirmed === undefined) return null;
    // Before the first change is applied the slot stands where it was made.
    const applied = await onTarget.query<{ lsn: string | null; own: string | null; xid: string | null }>(
      `SELECT greatest(l.slot_lsn, c.lsn)::text AS lsn, c.lsn::text AS own, c.xmin::text AS xid
         FROM sluice.load AS l LEFT JOIN sluice.checkpoint AS c USING (task_id) WHERE l.task_id = $1`,
      [taskId],
    );
    const { lsn: checkpoint, own, xid } = applied.rows[0] ?? { lsn: null, own: null, xid: null };
    // The holder records its slot right after it made it.
    if (checkpoint === null) return null;
    if (parseLsn(confirmed) > parseLsn(checkpoint)) return [`confirmed ${confirmed}, applied ${checkpoint}`];
    if (!commits || own === null || xid === null) return [];
    // A transaction that is not on disk yet has written the checkpoint that is seen: the durable one is below it.
    const isDurable = await commits.has(xid);
    return isDurable || parseLsn(confirmed) < parseLsn(own) ? [] : [`confirmed ${confirmed}, which is not on disk`];
  };
  return watch({ source, target }, look, () => commits?.[Symbol.asyncDispose]() ?? Promise.resolve());
}

/** Money is only moved, in transactions over two tables: whoever adds it up always gets the same. */
export async function watchBank({ source, target }: Sides): Promise<Watch> {
  const total = `SELECT (SELECT sum(balance) FROM bank.checking) + (SELECT sum(balance) FROM bank.savings) AS total`;
  const [before] = await source.query<{ total: string }>(total);
  return watch({ source, target }, async ({ onTarget }) => {
    const { rows } = await onTarget.query<{ total: string }>(total);
    return rows[0]?.total === before?.total ? [] : [`the total is ${rows[0]?.total}, not ${before?.total}`];
  });
}

/** The later row is written in a later transaction: whoever sees it sees the earlier one too. */
export function watchOrder({ source, target }: Sides): Promise<Watch> {
  return watch({ source, target }, async ({ onTarget }) => {
    const { rows } = await onTarget.query<{ n: string }>(
      `SELECT l.n FROM line.later AS l WHERE NOT EXISTS (SELECT FROM line.earlier AS e WHERE e.n = l.n)
       UNION ALL SELECT max(n) FROM line.earlier HAVING count(*) <> max(n)`,
    );
    return rows.map(({ n }) => `row ${n} came before an earlier one`);
  });
}

interface Sessions {
  readonly onSource: Client;
  readonly onTarget: Client;
}

async function watch(
  sides: Sides,
  look: (sessions: Sessions) => Promise<readonly string[] | null>,
  end: () => Promise<void> = () => Promise.resolve(),
): Promise<Watch> {
  const stopping = new AbortController();
  const open = async (): Promise<Sessions> => ({
    onSource: await sides.source.connect(),
    onTarget: await sides.target.connect(),
  });
  const findings: string[] = [];
  let sampleCount = 0;
  const run = async (first: Sessions): Promise<void> => {
    let sessions: Sessions | null = first;
    while (!stopping.signal.aborted) {
      try {
        sessions ??= await open();
        const found = await look(sessions);
        if (found !== null) sampleCount += 1;
        findings.push(...(found ?? []));
      } catch (error) {
        if (!isServerGone(error)) throw error;
        sessions = null;
      }
      await delay(SAMPLE_INTERVAL_MS, stopping.signal).catch(() => undefined);
    }
  };
  const done = run(await open()).finally(end);
  // Whoever stops it is told.
  done.catch(() => undefined);
  const stop = async (): Promise<readonly string[]> => {
    stopping.abort();
    await done;
    return findings;
  };
  return {
    samples: () => sampleCount,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop().catch(() => undefined)),
  };
}
