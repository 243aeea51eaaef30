import { describe, expect, it } from '@jest/globals';
import { type ProgressMessage } from '@sluice/contracts';
import { LiveProgress } from './live-progress.js';

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

describe('LiveProgress', () => {
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
