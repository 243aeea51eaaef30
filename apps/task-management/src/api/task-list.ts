import { TaskResource } from '@sluice/contracts';
import { TASK_STATES } from '@sluice/model';
import { z } from 'zod';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 200;

/** Query of `GET /tasks`. */
export const TaskListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z.string().max(100).optional(),
  state: z.enum(TASK_STATES).optional(),
  name: z.string().max(50).optional(),
});

/** Answer of `GET /tasks`, newest first. */
export const TaskList = z.object({ items: z.array(TaskResource), nextCursor: z.string().nullable() });
export type TaskList = z.infer<typeof TaskList>;

/** Value of the header `Idempotency-Key`. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Idempotency-Key: 1–255 visible ASCII characters')
  .optional();
