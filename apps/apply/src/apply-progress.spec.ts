import { afterEach, describe, expect, it } from '@jest/globals';
import { type Progress } from '@sluice/contracts';
import { lsnFromBigInt } from '@sluice/model';
import { type StageReporter } from '@sluice/service-runtime';
import { ApplyProgress } from './apply-progress.js';

type Reported = Extract<Progress, { kind: 'apply' }>;

const at = (value: bigint) => lsnFromBigInt(value);
const nothing = (): Promise<void> => Promise.resolve();
const target = {
  appliedLsn: at(0n),
  durableLsn: at(0n),
  changeCount: 0,
  conflicts: { ignored: 0, overwritten: 0 },
};

/** The source's clock is an hour ahead of ours. */
const AHEAD_MS = 3_600_000;
const ourMs = (): number => performance.now();

describe('ApplyProgress', () => {
  let progress: ApplyProgress;
  let last: Reported | null = null;
  const reporter: StageReporter = {
    started: nothing,
    running: nothing,
    recovering: nothing,
    succeeded: nothing,
    failed: nothing,
    stopped: nothing,
    progress: (said) => {
      if (said.kind === 'apply') last = said;
    },
  };
  afterEach(() => progress.end());

  it('splits how long the last transaction took, whatever the clocks say', () => {
    progress = new ApplyProgress(reporter, { at: (ms) => ms + AHEAD_MS });
    progress.begin(target);
    const capturedAtMs = ourMs() + AHEAD_MS - 40;
    const commitTime = new Date(Math.round(capturedAtMs - 100));
    progress.received({ endLsn: at(10n), commitTime, capturedAtMs });
    progress.applied({ count: 1, commitTime });
    // Reads what `begin` was given: it has applied all of it.
    target.appliedLsn = at(10n);
    progress.report();
    expect(last?.lastTransaction).toBeNull();
    progress.received({ endLsn: at(10n), commitTime, capturedAtMs });
    progress.applied({ count: 1, commitTime });
    progress.report();
    const parts = last?.lastTransaction;
    expect(parts?.captureMs).toBeCloseTo(100, -1);
    expect(parts?.transportMs).toBeGreaterThanOrEqual(40);
    expect(parts?.transportMs).toBeLessThan(1_000);
    expect(parts?.applyMs).toBeLessThan(1_000);
    expect(last).toMatchObject({ receivedLsn: '0/A', appliedCommitTime: commitTime.toISOString() });
  });

  it('knows nothing of transport while it does not know the clock, and nothing at all of a batch without a time', () => {
    progress = new ApplyProgress(reporter, { at: () => null });
    target.appliedLsn = at(10n);
    progress.begin(target);
    const commitTime = new Date(1_000);
    progress.received({ endLsn: at(10n), commitTime, capturedAtMs: 1_500 });
    progress.applied({ count: 1, commitTime });
    progress.report();
    expect(last?.lastTransaction).toMatchObject({ captureMs: 500, transportMs: 0 });
    progress.received({ endLsn: at(10n), commitTime, capturedAtMs: null });
    progress.applied({ count: 1, commitTime });
    progress.report();
    expect(last).toMatchObject({ lastTransaction: null, delayMs: 0 });
  });
});
