import { Alarm, TaskId } from '@sluice/contracts';
import { z } from 'zod';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 200;

/** Query of `GET /alarms`. */
export const AlarmListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z.string().max(100).optional(),
  taskId: TaskId.optional(),
});

/** Answer of `GET /alarms`, newest first. */
export const AlarmList = z.object({ items: z.array(Alarm), nextCursor: z.string().nullable() });
