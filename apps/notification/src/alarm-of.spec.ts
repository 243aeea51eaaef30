import { describe, expect, it } from '@jest/globals';
import { type TaskEvent } from '@sluice/contracts';
import { alarmOf } from './alarm-of.js';

const ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
const ERROR = { code: 'SLUICE-5001', detail: 'duplicate key', remedy: 'remove the row' };

function change(from: string | null, to: string): TaskEvent {
  const at = '2026-01-01T00:00:00.000Z';
  return { version: 1, eventId: ID, taskId: ID, taskName: 'shop-move', from, to, error: ERROR, at };
}

describe('alarmOf', () => {
  it.each([
    ['incremental', 'incremental_failed', 'abnormal'],
    ['starting', 'start_failed', 'abnormal'],
    ['full_load', 'incremental', 'full_load_done'],
    ['recovering', 'incremental', 'recovered'],
    ['incremental_failed', 'incremental', 'recovered'],
    ['full_load_failed', 'full_load', 'recovered'],
    ['ending', 'ended', 'ended'],
    ['full_load', 'completed', 'ended'],
    [null, 'configuring', undefined],
    ['paused', 'incremental', undefined],
    ['incremental', 'recovering', undefined],
    ['start_failed', 'starting', undefined],
    ['incremental', 'a_state_of_the_future', undefined],
  ])('from %s to %s raises %s', (from, to, kind) => {
    expect(alarmOf(change(from, to))?.kind).toBe(kind);
  });

  it('says which task, since when and why', () => {
    expect(alarmOf(change('incremental', 'incremental_failed'))).toEqual({
      eventId: ID,
      taskId: ID,
      taskName: 'shop-move',
      kind: 'abnormal',
      state: 'incremental_failed',
      error: ERROR,
      at: '2026-01-01T00:00:00.000Z',
    });
  });
});
