import { PageQuery, pageOf, ProjectId, TaskResource } from '@sluice/contracts';
import { TASK_STATES } from '@sluice/model';
import { z } from 'zod';

/** Query of `GET /tasks`. */
export const TaskListQuery = PageQuery.extend({
  projectId: ProjectId.optional(),
  state: z.enum(TASK_STATES).optional(),
  name: z.string().max(50).optional(),
});

/** Answer of `GET /tasks`, newest first. */
export const TaskList = pageOf(TaskResource);
