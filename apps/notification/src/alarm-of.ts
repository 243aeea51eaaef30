import { type Alarm, type AlarmKind, type TaskEvent } from '@sluice/contracts';
import { isAbnormal, parseTaskState, type TaskState } from '@sluice/model';

/** The alarm that a change of state raises, or `null`. */
export function alarmOf(event: TaskEvent): Alarm | null {
  const to = parseTaskState(event.to);
  // A newer task management may know states that this version does not; it raises no alarm for them.
  if (!to) return null;
  const kind = kindOf(event.from === null ? null : parseTaskState(event.from), to);
  if (!kind) return null;
  const { eventId, taskId, taskName, error, at } = event;
  return { eventId, taskId, taskName, kind, state: to, error, at };
}

function kindOf(from: TaskState | null, to: TaskState): AlarmKind | null {
  if (isAbnormal(to)) return 'abnormal';
  if (to === 'ended' || to === 'completed') return 'ended';
  if (from === null) return null;
  if (from === 'full_load' && to === 'incremental') return 'full_load_done';
  const works = to === 'incremental' || to === 'full_load';
  return works && (from === 'recovering' || isAbnormal(from)) ? 'recovered' : null;
}
