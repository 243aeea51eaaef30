/** Every state that a task can be in. */
export const TASK_STATES = [
  'creating',
  'create_failed',
  'configuring',
  'waiting_to_start',
  'starting',
  'start_failed',
  'full_load',
  'full_load_failed',
  'incremental',
  'incremental_failed',
  'changing',
  'change_failed',
  'recovering',
  'paused',
  'ending',
  'end_failed',
  'ended',
  'completed',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** What a person can order. */
export const TASK_ACTIONS = ['start', 'pause', 'resume', 'retry', 'set_rate_limit', 'end', 'delete'] as const;
export type TaskAction = (typeof TASK_ACTIONS)[number];

/** A state that waits for a person: every `*_failed`. */
export function isAbnormal(state: TaskState): boolean {
  return state.endsWith('_failed');
}

export function parseTaskState(text: string): TaskState | null {
  return TASK_STATES.find((state) => state === text) ?? null;
}

export function parseTaskAction(text: string): TaskAction | null {
  return TASK_ACTIONS.find((action) => action === text) ?? null;
}
