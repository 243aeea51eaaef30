import { describe, expect, it } from '@jest/globals';
import { type ProgressMessage } from '@sluice/contracts';
import { LiveProgress } from './live-progress.js';
import { taskGauges } from './task-gauges.js';

const TASK = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';

function applied(epoch: number, appliedLsn: string): ProgressMessage {
  const progress = {
    kind: 'apply',
    appliedLsn,
    durableLsn: appliedLsn,
    delayMs: 0,
    transactions: 1,
    changes: 1,
    conflicts: { ignored: 0, overwritten: 0 },
    lastTransaction: null,
    receivedLsn: appliedLsn,
    receivedCommitTime: null,
    appliedCommitTime: null,
  } as const;
  return { version: 1, taskId: TASK, epoch, at: '2026-01-01T00:00:00.000Z', progress };
}

function captured(overrides: { sourceTime?: string; transactionLsn?: string } = {}): ProgressMessage {
  const { sourceTime = '2026-01-01T00:00:00.000Z', transactionLsn = '0/2' } = overrides;
  const progress = {
    kind: 'capture',
    publishedLsn: transactionLsn,
    confirmedLsn: '0/1',
    retainedBytes: 5_000,
    transactions: 1,
    changes: 1,
    transactionLsn,
    sourceTime,
    readThrough: sourceTime,
    clockOffsetMs: 0,
    slot: { sourceLsn: '0/12', restartLsn: '0/1', walStatus: 'reserved', safeBytes: 7_000, secondsLeft: 60 },
    heartbeats: 0,
  } as const;
  return { version: 1, taskId: TASK, epoch: 1, at: '2026-01-01T00:00:00.000Z', progress };
}

describe('LiveProgress', () => {
  it('has a delay once capture and apply have spoken, which grows while the target does not move', () => {
    const live = new LiveProgress();
    live.put(captured());
    expect(live.of(TASK).delay).toBeNull();
    live.put(applied(1, '0/2'));
    expect(live.of(TASK).delay).toEqual({
      totalMs: 0,
      captureMs: 0,
      transportMs: 0,
      applyMs: 0,
      walBytes: 0x10,
      retainedBytes: 5_000,
    });
    live.put(captured({ sourceTime: '2026-01-01T00:00:05.000Z', transactionLsn: '0/9' }));
    live.put(applied(1, '0/2'));
    live.put(captured({ sourceTime: '2026-01-01T00:01:00.000Z', transactionLsn: '0/9' }));
    live.put(applied(1, '0/2'));
    expect(live.of(TASK).delay).toMatchObject({ totalMs: 60_000, captureMs: 0 });
    const gauges = new Map(taskGauges(live).map(({ name, samples }) => [name, samples]));
    expect(gauges.get('sluice_task_delay_seconds')).toContainEqual({
      labels: { task_id: TASK, part: 'total' },
      value: 60,
    });
    expect(gauges.get('sluice_slot_lost_in_seconds')).toEqual([{ labels: { task_id: TASK }, value: 60 }]);
  });

  it('keeps the newest numbers of each kind', () => {
    const live = new LiveProgress();
    live.put(applied(1, '0/1'));
    live.put(applied(1, '0/2'));
    expect(live.of(TASK).progress).toMatchObject({ apply: { appliedLsn: '0/2' }, capture: null, fullLoad: null });
  });

  it('ignores a run of an older epoch', () => {
    const live = new LiveProgress();
    live.put(applied(2, '0/2'));
    expect(live.put(applied(1, '0/1'))).toBe(false);
    expect(live.of(TASK).progress.apply).toMatchObject({ appliedLsn: '0/2' });
  });
});
