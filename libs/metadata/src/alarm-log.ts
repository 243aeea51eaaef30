import { type Alarm, type ProjectId, type TaskId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { AlarmEntity } from './entities/alarm.entity.js';
import { type InProjects, keepProjects, type Page, readPage } from './page.js';

export interface AlarmQuery {
  readonly projects: InProjects;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly taskId?: TaskId | undefined;
}

/** An alarm with the project of its task; `null` when the task was gone before its alarm came. */
export type ListedAlarm = Alarm & { readonly projectId: ProjectId | null };
export type AlarmPage = Page<ListedAlarm>;

/** The alarms that were raised, each once. */
export class AlarmLog {
  constructor(private readonly manager: EntityManager) {}

  /** @returns false when the same event raised it before. */
  async record(alarm: Alarm): Promise<boolean> {
    const { eventId, taskId, taskName, kind, state, error, at } = alarm;
    const rows: unknown[] = await this.manager.query(
      `INSERT INTO alarms (event_id, task_id, project_id, task_name, kind, state, error, at)
       VALUES ($1, $2, (SELECT project_id FROM tasks WHERE id = $2), $3, $4, $5, $6, $7)
       ON CONFLICT (event_id) DO NOTHING
       RETURNING event_id`,
      [eventId, taskId, taskName, kind, state, error, at],
    );
    return rows.length > 0;
  }

  /** Newest first. */
  async list({ projects, taskId, ...page }: AlarmQuery): Promise<AlarmPage> {
    const builder = this.manager.createQueryBuilder(AlarmEntity, 'alarm');
    keepProjects(builder, 'alarm.projectId', projects);
    if (taskId !== undefined) builder.andWhere('alarm.taskId = :taskId', { taskId });
    const { items, nextCursor } = await readPage(builder, page);
    return { items: items.map(({ position: _, at, ...alarm }) => ({ ...alarm, at: at.toISOString() })), nextCursor };
  }
}
