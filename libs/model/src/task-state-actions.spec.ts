import { describe, expect, it } from '@jest/globals';
import { ACTIONS, availableActions } from './task-state-actions.js';
import { isAbnormal, TASK_ACTIONS, TASK_STATES, type TaskState } from './task-state.js';

describe('the table state × action', () => {
  it.each(TASK_STATES)('has a defined cell for every action in %s', (state) => {
    for (const action of TASK_ACTIONS) {
      const cell = ACTIONS[state][action];
      if ('refused' in cell) expect(cell.refused).not.toBe('');
      else expect(cell.next.length).toBeGreaterThan(0);
    }
  });

  it.each(TASK_STATES.filter(isAbnormal))('leaves a way out of %s', (state) => {
    expect(availableActions(state)).not.toEqual([]);
  });

  it.each<[TaskState, readonly string[]]>([
    ['configuring', ['start', 'set_rate_limit', 'end', 'delete']],
    ['starting', ['set_rate_limit', 'end']],
    ['start_failed', ['start', 'retry', 'set_rate_limit', 'end']],
    ['full_load', ['pause', 'set_rate_limit', 'end']],
    ['full_load_failed', ['retry', 'set_rate_limit', 'end']],
    ['incremental', ['pause', 'end']],
    ['incremental_failed', ['retry', 'end']],
    ['recovering', ['pause', 'end']],
    ['paused', ['resume', 'set_rate_limit', 'end']],
    ['ending', []],
    ['end_failed', ['retry', 'end']],
    ['ended', ['delete']],
    ['completed', ['delete']],
  ])('offers in %s: %j', (state, actions) => {
    expect(availableActions(state)).toEqual(actions);
  });
});
