import { type Alarm, type TaskId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { formatCursor, parseCursor } from './cursor.js';
import { AlarmEntity } from './entities/alarm.entity.js';

export interface AlarmQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly taskId?: TaskId | undefined;
}

export interface AlarmPage {
  readonly items: readonly Alarm[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

/** The alarms that were raised, each once. */
export class AlarmLog {
  constructor(private readonly manager: EntityManager) {}

  /** @returns false when the same event raised it before. */
  async record(alarm: Alarm): Promise<boolean> {
    const { eventId, taskId, taskName, kind, state, error, at } = alarm;
    const rows: unknown[] = await this.manager.query(
      `INSERT INTO alarms (event_id, task_id, task_name, kind, state, error, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (event_id) DO NOTHING
       RETURNING event_id`,
      [eventId, taskId, taskName, kind, state, error, at],
    );
    return rows.length > 0;
  }

  /** Newest first. */
  async list({ limit, cursor, taskId }: AlarmQuery): Promise<AlarmPage> {
    const builder = this.manager
      .createQueryBuilder(AlarmEntity, 'alarm')
      .orderBy('alarm.position', 'DESC')
      .limit(limit + 1);
    if (cursor !== undefined) builder.andWhere('alarm.position < :after', { after: parseCursor(cursor) });
    if (taskId !== undefined) builder.andWhere('alarm.taskId = :taskId', { taskId });
    const rows = await builder.getMany();
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(({ position: _position, at, ...alarm }) => ({ ...alarm, at: at.toISOString() })),
      nextCursor: rows.length > limit && last ? formatCursor(last.position) : null,
    };
  }
}
