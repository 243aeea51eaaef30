import { type Lsn } from './lsn.js';

/** What capture said, and how long ago. Times are of the source's clock, milliseconds since 1970. */
export interface CaptureSight {
  readonly ageMs: number;
  readonly sourceTimeMs: number;
  /** Until then everything that was committed has been read and stored on the bus. */
  readonly readThroughMs: number;
  /** End of the newest transaction that is on the bus. */
  readonly transactionLsn: Lsn;
}

/** What apply said, and how long ago. */
export interface ApplySight {
  readonly ageMs: number;
  /** End and commit time of the newest transaction that it has received. */
  readonly receivedLsn: Lsn;
  readonly receivedCommitMs: number | null;
  readonly appliedLsn: Lsn;
  readonly appliedCommitMs: number | null;
  /** How long the newest transaction took, in parts; null when there was none of late. */
  readonly lastTransaction: DelayPartsMs | null;
}

export interface DelayPartsMs {
  readonly captureMs: number;
  readonly transportMs: number;
  readonly applyMs: number;
}

export interface Delay extends DelayPartsMs {
  readonly totalMs: number;
}

/** Until when, on the source's clock, each stage was known to have everything. It never goes back. */
export interface Completeness {
  readonly receivedMs: number;
  readonly appliedMs: number;
}

export interface DelaySights {
  readonly capture: CaptureSight;
  /** What capture had said when apply spoke: later transactions apply could not know of yet. */
  readonly captureBefore: CaptureSight;
  readonly apply: ApplySight;
}

/** Both speak every second; whoever has said nothing for so long is silent. */
const SILENT_MS = 3_000;

/**
 * The delay: source clock now − the time on the source until which the target has everything; 0 when nothing is pending.
 *
 * A stage that has all that the stage before it has is as far as that one; otherwise it is as far as the commit time of the
 * newest transaction it has, or as far as it was before. A source that was idle for an hour does so not make the first
 * transaction after it an hour late. While transactions flow and nothing is left behind, the delay is what the newest took.
 */
export function measureDelay(
  { capture, captureBefore, apply }: DelaySights,
  before: Completeness | null,
): { readonly delay: Delay; readonly completeness: Completeness } {
  const isCaptureSilent = capture.ageMs > SILENT_MS;
  const isApplySilent = apply.ageMs > SILENT_MS;
  const nowMs = capture.sourceTimeMs + (isCaptureSilent ? capture.ageMs : 0);
  const readMs = Math.min(nowMs, capture.readThroughMs);
  // A silent apply is compared with what capture says now: what came since is pending.
  const compared = isApplySilent ? capture : captureBefore;
  const isReceived = apply.receivedLsn >= compared.transactionLsn;
  const isApplied = apply.appliedLsn >= apply.receivedLsn;
  const receivedMs = Math.min(
    readMs,
    isReceived ? readMs : latest([apply.receivedCommitMs, before?.receivedMs], readMs),
  );
  const appliedMs = Math.min(
    receivedMs,
    isApplied ? receivedMs : latest([apply.appliedCommitMs, before?.appliedMs], receivedMs),
  );
  // What capture has read since is not known to be received, though it is shown as if it were.
  const provenMs = Math.min(receivedMs, compared.readThroughMs);
  const completeness = {
    receivedMs: Math.max(provenMs, before?.receivedMs ?? provenMs),
    appliedMs: Math.max(Math.min(appliedMs, provenMs), before?.appliedMs ?? -Infinity),
  };
  const behind = {
    captureMs: nowMs - readMs,
    transportMs: isApplySilent ? 0 : readMs - receivedMs,
    applyMs: (isApplySilent ? readMs : receivedMs) - appliedMs,
  };
  const isPending = behind.captureMs + behind.transportMs + behind.applyMs > 0;
  const last = isPending || isApplySilent ? null : apply.lastTransaction;
  return { delay: withTotal(last ?? behind), completeness };
}

function withTotal({ captureMs, transportMs, applyMs }: DelayPartsMs): Delay {
  const parts = [captureMs, transportMs, applyMs].map((ms) => Math.max(0, Math.round(ms)));
  const [capture = 0, transport = 0, apply = 0] = parts;
  return { totalMs: capture + transport + apply, captureMs: capture, transportMs: transport, applyMs: apply };
}

/** @param unknown when there is none: the delay then counts from the first look. */
function latest(times: readonly (number | null | undefined)[], unknown: number): number {
  const known = times.filter((time) => time !== null && time !== undefined);
  return known.length === 0 ? unknown : Math.max(...known);
}
