import { type TaskState } from '@sluice/model';
import { type EntityManager } from 'typeorm';
import { formatCursor, parseCursor } from './cursor.js';
import { TaskEntity } from './entities/task.entity.js';
import { type StoredTask } from './stored-task.js';

export interface TaskQuery {
  readonly limit: number;
  /** From the previous page. */
  readonly cursor?: string | undefined;
  readonly state?: TaskState | undefined;
  /** Part of the name, compared case-insensitively. */
  readonly name?: string | undefined;
}

export interface TaskPage {
  readonly items: readonly StoredTask[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

type Assemble = (tasks: readonly TaskEntity[]) => Promise<readonly StoredTask[]>;

/** Newest first. The cursor is the position of the last row seen, so that rows added meanwhile neither repeat nor hide one. */
export async function readTaskPage(manager: EntityManager, query: TaskQuery, assemble: Assemble): Promise<TaskPage> {
  const builder = manager
    .createQueryBuilder(TaskEntity, 'task')
    .orderBy('task.position', 'DESC')
    .limit(query.limit + 1);
  if (query.cursor !== undefined) builder.andWhere('task.position < :after', { after: parseCursor(query.cursor) });
  if (query.state !== undefined) builder.andWhere('task.state = :state', { state: query.state });
  if (query.name !== undefined) {
    builder.andWhere('strpos(lower(task.name), lower(:name)) > 0', { name: query.name });
  }
  const rows = await builder.getMany();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: await assemble(page),
    nextCursor: rows.length > query.limit && last ? formatCursor(last.position) : null,
  };
}
