import { type Progress, type TaskDelay } from '@sluice/contracts';
import { type ApplySight, type CaptureSight, type Completeness, measureDelay, parseLsn } from '@sluice/model';

type CaptureProgress = Extract<Progress, { kind: 'capture' }>;
type ApplyProgress = Extract<Progress, { kind: 'apply' }>;

/** What a worker said and when it was heard, by our own clock: those of the workers' machines differ. */
interface Said<P> {
  readonly progress: P;
  /** By `performance.now()`. */
  readonly atMs: number;
}

export interface Heard {
  readonly capture: Said<CaptureProgress> | null;
  /** What capture had said before that. */
  readonly captureBefore: Said<CaptureProgress> | null;
  readonly apply: Said<ApplyProgress> | null;
}

/** The delay as of now; null until both workers have spoken and capture has seen the source. */
export function measure(
  { capture, captureBefore, apply }: Heard,
  completeness: Completeness | null,
): ReturnType<typeof measureDelay> | null {
  const sight = capture && captureSight(capture, completeness);
  if (!sight || !apply) return null;
  // Apply knows nothing of what capture read after apply spoke.
  const isNewer = capture.atMs > apply.atMs;
  const before = isNewer && captureBefore ? captureSight(captureBefore, completeness) : sight;
  return measureDelay({ capture: sight, captureBefore: before ?? sight, apply: applySight(apply) }, completeness);
}

export function delayOf(heard: Heard, completeness: Completeness | null): TaskDelay | null {
  const measured = measure(heard, completeness);
  if (!measured) return null;
  const slot = heard.capture?.progress.slot ?? null;
  const appliedLsn = heard.apply?.progress.appliedLsn;
  const behind = slot && appliedLsn ? parseLsn(slot.sourceLsn) - parseLsn(appliedLsn) : null;
  return {
    ...measured.delay,
    walBytes: behind === null ? null : Math.max(0, Number(behind)),
    retainedBytes: slot && (heard.capture?.progress.retainedBytes ?? null),
  };
}

function captureSight(
  { progress, atMs }: Said<CaptureProgress>,
  completeness: Completeness | null,
): CaptureSight | null {
  const sourceTimeMs = timeOf(progress.sourceTime);
  if (sourceTimeMs === null) return null;
  return {
    ageMs: performance.now() - atMs,
    sourceTimeMs,
    // A session that has a backlog before it and has read nothing yet is where the one before it was.
    readThroughMs: timeOf(progress.readThrough) ?? completeness?.receivedMs ?? sourceTimeMs,
    transactionLsn: parseLsn(progress.transactionLsn),
  };
}

function applySight({ progress, atMs }: Said<ApplyProgress>): ApplySight {
  return {
    ageMs: performance.now() - atMs,
    receivedLsn: parseLsn(progress.receivedLsn),
    receivedCommitMs: timeOf(progress.receivedCommitTime),
    appliedLsn: parseLsn(progress.appliedLsn),
    appliedCommitMs: timeOf(progress.appliedCommitTime),
    lastTransaction: progress.lastTransaction,
  };
}

function timeOf(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
