import { type TaskState } from '@sluice/model';
import { type EntityManager } from 'typeorm';
import { TaskEntity } from './entities/task.entity.js';
import { type InProjects, keepProjects, type Page, readPage } from './page.js';
import { type StoredTask } from './stored-task.js';

export interface TaskQuery {
  readonly projects: InProjects;
  readonly limit: number;
  /** From the previous page. */
  readonly cursor?: string | undefined;
  readonly state?: TaskState | undefined;
  /** Part of the name, compared case-insensitively. */
  readonly name?: string | undefined;
}

export type TaskPage = Page<StoredTask>;

type Assemble = (tasks: readonly TaskEntity[]) => Promise<readonly StoredTask[]>;

export async function readTaskPage(manager: EntityManager, query: TaskQuery, assemble: Assemble): Promise<TaskPage> {
  const builder = manager.createQueryBuilder(TaskEntity, 'task');
  keepProjects(builder, 'task.projectId', query.projects);
  if (query.state !== undefined) builder.andWhere('task.state = :state', { state: query.state });
  if (query.name !== undefined) {
    builder.andWhere('strpos(lower(task.name), lower(:name)) > 0', { name: query.name });
  }
  const { items, nextCursor } = await readPage(builder, query);
  return { items: await assemble(items), nextCursor };
}
