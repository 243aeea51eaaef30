import { Alarm, PageQuery, pageOf, ProjectId, TaskId } from '@sluice/contracts';

/** Query of `GET /alarms`. */
export const AlarmListQuery = PageQuery.extend({
  projectId: ProjectId.optional(),
  taskId: TaskId.optional(),
});

/** Answer of `GET /alarms`, newest first. */
export const AlarmList = pageOf(Alarm.extend({ projectId: ProjectId.nullable() }));
