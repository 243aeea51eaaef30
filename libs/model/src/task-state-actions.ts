import { TASK_ACTIONS, type TaskAction, type TaskState } from './task-state.js';

/** What an action does in a state: the states it can lead to, or why it is refused. `deleted` is the end of the row. */
export type ActionCell = { readonly next: readonly (TaskState | 'deleted')[] } | { readonly refused: string };

const to = (...next: readonly (TaskState | 'deleted')[]): ActionCell => ({ next });
const no = (refused: string): { readonly refused: string } => ({ refused });

const NOT_STARTED = no('the task has not been started');
const STARTED = no('the task has been started already');
const NOT_PAUSED = no('the task is not paused');
const NOT_FAILED = no('nothing has failed');
const FAILED = no('the task has failed; retry or end it');
const ENDING = no('the task is being ended');
const OVER = no('the task is over');
/** Also where the state alone does not say it. */
export const LOADED = no('the full load is finished; a rate limit is of the load');
const END_FIRST = no('the task must be ended before it is deleted');
const BUSY_CREATING = no('the task is being created');
const BUSY_CHANGING = no('a change of its objects is under way');

/**
 * The total table state × action. Where several states are listed, the task's facts decide (has the load begun or
 * finished?); `decideAction` never leads anywhere else.
 */
export const ACTIONS: Readonly<Record<TaskState, Readonly<Record<TaskAction, ActionCell>>>> = {
  creating: {
    start: BUSY_CREATING,
    pause: BUSY_CREATING,
    resume: BUSY_CREATING,
    retry: BUSY_CREATING,
    set_rate_limit: BUSY_CREATING,
    end: BUSY_CREATING,
    delete: BUSY_CREATING,
  },
  create_failed: {
    start: no('the task could not be created; delete it and create it again'),
    pause: NOT_STARTED,
    resume: NOT_PAUSED,
    retry: no('the task could not be created; delete it and create it again'),
    set_rate_limit: no('the task could not be created; delete it and create it again'),
    end: no('nothing was begun; delete it'),
    delete: to('deleted'),
  },
  configuring: {
    start: to('starting'),
    pause: NOT_STARTED,
    resume: NOT_PAUSED,
    retry: NOT_FAILED,
    set_rate_limit: to('configuring'),
    end: to('ended'),
    delete: to('deleted'),
  },
  waiting_to_start: {
    start: to('starting'),
    pause: NOT_STARTED,
    resume: NOT_PAUSED,
    retry: NOT_FAILED,
    set_rate_limit: to('waiting_to_start'),
    end: to('ended'),
    delete: END_FIRST,
  },
  starting: {
    start: STARTED,
    pause: no('connection test and precheck are running; nothing is replicated yet'),
    resume: NOT_PAUSED,
    retry: NOT_FAILED,
    set_rate_limit: to('starting'),
    end: to('ended'),
    delete: END_FIRST,
  },
  start_failed: {
    start: to('starting'),
    pause: FAILED,
    resume: NOT_PAUSED,
    retry: to('starting'),
    set_rate_limit: to('start_failed'),
    end: to('ended'),
    delete: END_FIRST,
  },
  full_load: {
    start: STARTED,
    pause: to('paused'),
    resume: NOT_PAUSED,
    retry: NOT_FAILED,
    set_rate_limit: to('full_load'),
    end: to('ending'),
    delete: END_FIRST,
  },
  full_load_failed: {
    start: STARTED,
    pause: FAILED,
    resume: NOT_PAUSED,
    retry: to('full_load'),
    set_rate_limit: to('full_load_failed'),
    end: to('ending'),
    delete: END_FIRST,
  },
  incremental: {
    start: STARTED,
    pause: to('paused'),
    resume: NOT_PAUSED,
    retry: NOT_FAILED,
    set_rate_limit: LOADED,
    end: to('ending'),
    delete: END_FIRST,
  },
  incremental_failed: {
    start: STARTED,
    pause: FAILED,
    resume: NOT_PAUSED,
    retry: to('incremental'),
    set_rate_limit: LOADED,
    end: to('ending'),
    delete: END_FIRST,
  },
  changing: {
    start: STARTED,
    pause: BUSY_CHANGING,
    resume: NOT_PAUSED,
    retry: NOT_FAILED,
    set_rate_limit: LOADED,
    end: BUSY_CHANGING,
    delete: END_FIRST,
  },
  change_failed: {
    start: STARTED,
    pause: FAILED,
    resume: NOT_PAUSED,
    retry: to('incremental'),
    set_rate_limit: LOADED,
    end: to('ending'),
    delete: END_FIRST,
  },
  recovering: {
    start: STARTED,
    pause: to('paused'),
    resume: NOT_PAUSED,
    retry: no('the task retries by itself'),
    set_rate_limit: LOADED,
    end: to('ending'),
    delete: END_FIRST,
  },
  paused: {
    start: no('the task is paused; resume it'),
    pause: no('the task is paused already'),
    resume: to('full_load', 'incremental'),
    retry: NOT_FAILED,
    set_rate_limit: to('paused'),
    end: to('ending'),
    delete: END_FIRST,
  },
  ending: {
    start: ENDING,
    pause: ENDING,
    resume: ENDING,
    retry: ENDING,
    set_rate_limit: ENDING,
    end: ENDING,
    delete: ENDING,
  },
  end_failed: {
    start: STARTED,
    pause: FAILED,
    resume: NOT_PAUSED,
    retry: to('ending'),
    set_rate_limit: ENDING,
    end: to('ending'),
    delete: END_FIRST,
  },
  ended: {
    start: OVER,
    pause: OVER,
    resume: OVER,
    retry: OVER,
    set_rate_limit: OVER,
    end: OVER,
    delete: to('deleted'),
  },
  completed: {
    start: OVER,
    pause: OVER,
    resume: OVER,
    retry: OVER,
    set_rate_limit: OVER,
    end: OVER,
    delete: to('deleted'),
  },
};

export function availableActions(state: TaskState): readonly TaskAction[] {
  return TASK_ACTIONS.filter((action) => 'next' in ACTIONS[state][action]);
}
