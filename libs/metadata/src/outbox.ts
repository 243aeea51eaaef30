import { type DataSource, type EntityManager } from 'typeorm';
import { type OutboxItem } from './outbox-message.js';

/** Messages taken at once; they are published beside each other, as no two belong to one task. */
const HEADS_MAX = 32;
/** Sent rows are kept that long for whoever looks into what happened. */
const KEEP_SENT_HOURS = 24;

/**
 * The oldest unsent message of each task, of those that no other replica is sending right now. A message that is
 * locked elsewhere is still unsent, so it holds back those that follow it. PostgreSQL 11 and later.
 */
const LOCK_HEADS = `
  SELECT o.id, o.task_id AS "taskId", o.message, o.trace
  FROM outbox o
  WHERE o.sent_at IS NULL
    AND NOT EXISTS (SELECT FROM outbox p WHERE p.task_id = o.task_id AND p.sent_at IS NULL AND p.id < o.id)
  ORDER BY o.id
  LIMIT ${HEADS_MAX}
  FOR UPDATE OF o SKIP LOCKED`;

/**
 * What decisions have to tell the bus. In order per task, across any number of replicas.
 *
 * Maintained invariant: a message is marked as sent after the bus has stored it, never before. A crash in between
 * publishes it twice, which the bus (message id) and the receivers (epoch, run id, event id) recognize.
 */
export class Outbox {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Publishes what is due. @returns how many were sent, and the first error of those that were not; these stay due.
   */
  async dispatch(publish: (item: OutboxItem) => Promise<void>): Promise<{ sent: number; error: unknown }> {
    return this.dataSource.transaction(async (manager) => {
      const items: OutboxItem[] = await manager.query(LOCK_HEADS);
      const outcomes = await Promise.allSettled(items.map((item) => publish(item)));
      const sent = items.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      await markSent(manager, sent);
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      return { sent: sent.length, error: failed?.reason };
    });
  }

  async unsentCount(): Promise<number> {
    const rows: { count: string }[] = await this.dataSource.query(
      'SELECT count(*) AS count FROM outbox WHERE sent_at IS NULL',
    );
    return Number(rows[0]?.count ?? 0);
  }

  /** Run ids whose message was not handed to the bus yet: their absence there says nothing. */
  async unsentRunIds(): Promise<ReadonlySet<string>> {
    const rows: { runId: string }[] = await this.dataSource.query(
      `SELECT message->'run'->>'runId' AS "runId" FROM outbox WHERE sent_at IS NULL AND message->>'kind' = 'run'`,
    );
    return new Set(rows.map(({ runId }) => runId));
  }

  async removeOld(): Promise<void> {
    await this.dataSource.query(`DELETE FROM outbox WHERE sent_at < now() - make_interval(hours => $1)`, [
      KEEP_SENT_HOURS,
    ]);
  }
}

async function markSent(manager: EntityManager, items: readonly OutboxItem[]): Promise<void> {
  if (items.length === 0) return;
  await manager.query('UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])', [items.map(({ id }) => id)]);
}
