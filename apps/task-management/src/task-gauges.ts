import { type Gauge } from '@sluice/service-runtime';
import { type LiveNumbers, type LiveProgress } from './live-progress.js';

type Sample = Gauge['samples'][number];
type TaskNumbers = LiveNumbers & { readonly taskId: string };

/** What the workers of all tasks said last, as numbers for Prometheus. Every replica hears them all. */
export function taskGauges(live: Pick<LiveProgress, 'all'>): Gauge[] {
  const tasks = [...live.all()];
  const gauge = (name: string, help: string, of: (task: TaskNumbers) => number | null | undefined): Gauge => ({
    name,
    help,
    samples: tasks.flatMap((task): Sample[] => {
      const value = of(task);
      return value === null || value === undefined ? [] : [{ labels: { task_id: task.taskId }, value }];
    }),
  });
  return [
    delayGauge(tasks),
    gauge('sluice_task_behind_bytes', 'WAL of the source that is not applied yet.', ({ delay }) => delay?.walBytes),
    gauge('sluice_slot_retained_bytes', 'WAL that the source keeps for the slot.', ({ delay }) => delay?.retainedBytes),
    gauge(
      'sluice_slot_safe_bytes',
      'WAL that may be written before the slot is lost.',
      (task) => slot(task)?.safeBytes,
    ),
    gauge(
      'sluice_slot_lost_in_seconds',
      'Time until the slot is lost as WAL grows.',
      (task) => slot(task)?.secondsLeft,
    ),
  ];
}

function delayGauge(tasks: readonly TaskNumbers[]): Gauge {
  return {
    name: 'sluice_task_delay_seconds',
    help: 'How far the target is behind the source, by part.',
    samples: tasks.flatMap(({ taskId, delay }) =>
      delay === null
        ? []
        : Object.entries({
            total: delay.totalMs,
            capture: delay.captureMs,
            transport: delay.transportMs,
            apply: delay.applyMs,
          }).map(([part, ms]) => ({ labels: { task_id: taskId, part }, value: ms / 1000 })),
    ),
  };
}

function slot({ progress: { capture } }: TaskNumbers) {
  return capture?.kind === 'capture' ? capture.slot : null;
}
