import { describe, expect, it } from '@jest/globals';
import { lsnFromBigInt } from './lsn.js';
import { type ApplySight, type CaptureSight, type Completeness, type Delay, measureDelay } from './task-delay.js';

const at = (value: number) => lsnFromBigInt(BigInt(value));

const capture = (seconds: number, overrides: Partial<CaptureSight> = {}): CaptureSight => ({
  ageMs: 0,
  sourceTimeMs: seconds * 1_000,
  readThroughMs: seconds * 1_000,
  transactionLsn: at(100),
  ...overrides,
});
const apply = (overrides: Partial<ApplySight> = {}): ApplySight => ({
  ageMs: 0,
  receivedLsn: at(100),
  receivedCommitMs: null,
  appliedLsn: at(100),
  appliedCommitMs: null,
  lastTransaction: null,
  ...overrides,
});

/** What is shown while the task goes through these states. */
function follow(...states: readonly { capture: CaptureSight; before?: CaptureSight; apply: ApplySight }[]): Delay[] {
  let completeness: Completeness | null = null;
  return states.map((state) => {
    const sights = { capture: state.capture, captureBefore: state.before ?? state.capture, apply: state.apply };
    const measured = measureDelay(sights, completeness);
    completeness = measured.completeness;
    return measured.delay;
  });
}

const NONE: Delay = { totalMs: 0, captureMs: 0, transportMs: 0, applyMs: 0 };

describe('measureDelay', () => {
  it('is 0 when nothing is pending, however long ago the last transaction was', () => {
    const idle = apply({ receivedCommitMs: 1_000, appliedCommitMs: 1_000 });
    expect(follow({ capture: capture(10), apply: idle }, { capture: capture(7_200), apply: idle })).toEqual([
      NONE,
      NONE,
    ]);
  });

  it('is what the last transaction took while transactions flow and nothing is left behind', () => {
    const lastTransaction = { captureMs: 3, transportMs: 1, applyMs: 6 };
    expect(follow({ capture: capture(10), apply: apply({ lastTransaction }) })).toEqual([
      { totalMs: 10, ...lastTransaction },
    ]);
  });

  it('does not blame apply for what capture read after apply spoke', () => {
    const [delay] = follow({
      capture: capture(11, { transactionLsn: at(200) }),
      before: capture(10),
      apply: apply({ appliedCommitMs: 1_000 }),
    });
    expect(delay).toEqual(NONE);
  });

  it('grows from when the target was last complete, not from a transaction of an hour ago', () => {
    const old = apply({ receivedCommitMs: 1_000, appliedCommitMs: 1_000 });
    const frozen = { ...old, receivedLsn: at(200), receivedCommitMs: 3_600_500 };
    const delays = follow(
      { capture: capture(3_600), apply: old },
      { capture: capture(3_601, { transactionLsn: at(200) }), apply: frozen },
      { capture: capture(3_660, { transactionLsn: at(200) }), apply: frozen },
    );
    expect(delays.map(({ totalMs }) => totalMs)).toEqual([0, 1_000, 60_000]);
    expect(delays.at(-1)).toMatchObject({ captureMs: 0, transportMs: 0, applyMs: 60_000 });
  });

  it('is the age of what is applied while a backlog is worked off', () => {
    const backlog = capture(1_000, { transactionLsn: at(900) });
    const [delay] = follow({
      capture: backlog,
      apply: apply({ receivedLsn: at(500), receivedCommitMs: 700_000, appliedLsn: at(400), appliedCommitMs: 600_000 }),
    });
    expect(delay).toEqual({ totalMs: 400_000, captureMs: 0, transportMs: 300_000, applyMs: 100_000 });
  });

  it('grows while capture is silent, though nothing is known to be pending', () => {
    const ages = [500, 5_000, 65_000];
    const delays = follow(...ages.map((ageMs) => ({ capture: capture(10, { ageMs }), apply: apply() })));
    expect(delays.map(({ totalMs, captureMs }) => [totalMs, captureMs])).toEqual([
      [0, 0],
      [5_000, 5_000],
      [65_000, 65_000],
    ]);
  });

  it('is that of capture while it reads what it is behind with', () => {
    const [delay] = follow({ capture: capture(100, { readThroughMs: 40_000 }), apply: apply() });
    expect(delay).toEqual({ totalMs: 60_000, captureMs: 60_000, transportMs: 0, applyMs: 0 });
  });

  it('grows while apply is silent and something is pending, and is 0 while nothing is', () => {
    const dead = apply({ ageMs: 30_000 });
    const delays = follow(
      { capture: capture(10), apply: apply() },
      { capture: capture(40), apply: dead },
      { capture: capture(41, { transactionLsn: at(200) }), before: capture(10), apply: dead },
      { capture: capture(50, { transactionLsn: at(200) }), before: capture(10), apply: { ...dead, ageMs: 40_000 } },
    );
    expect(delays.map(({ totalMs, applyMs }) => [totalMs, applyMs])).toEqual([
      [0, 0],
      [0, 0],
      [1_000, 1_000],
      [10_000, 10_000],
    ]);
  });

  it('makes up the total of its parts', () => {
    const lastTransaction = { captureMs: 0.4, transportMs: 0.6, applyMs: 1.6 };
    for (const { totalMs, captureMs, transportMs, applyMs } of follow({
      capture: capture(1),
      apply: apply({ lastTransaction }),
    }))
      expect(totalMs).toBe(captureMs + transportMs + applyMs);
  });
});
