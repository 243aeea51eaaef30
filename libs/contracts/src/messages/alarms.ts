import { z } from 'zod';
import { ErrorReport, TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

export const AlarmKind = z.enum(['abnormal', 'recovered', 'full_load_done', 'ended']);
export type AlarmKind = z.infer<typeof AlarmKind>;

/** An alarm that notification raises because of a task event; `eventId` is that event's, so that it is raised once. */
export const Alarm = z.object({
  eventId: z.uuid(),
  taskId: TaskId,
  taskName: z.string(),
  kind: AlarmKind,
  state: z.string(),
  error: ErrorReport.nullable(),
  at: z.iso.datetime(),
});
export type Alarm = z.infer<typeof Alarm>;

/** Notification asks task management to keep an alarm (docs/adr/0006-notification-storage.md). */
export const RecordAlarm = z.object({ version: z.literal(1), alarm: Alarm });
export type RecordAlarm = z.infer<typeof RecordAlarm>;

/** `isNew` is false when the alarm was recorded before. */
export const AlarmRecorded = z.object({ version: z.literal(1), isNew: z.boolean() });
export type AlarmRecorded = z.infer<typeof AlarmRecorded>;

export const alarmRecords = defineSubject({
  pattern: 'sluice.v1.alarm.record',
  format: (_: Record<string, never>) => 'sluice.v1.alarm.record',
  payload: RecordAlarm,
});
