import {
  type CheckOutcome,
  type CheckReport,
  type ConnectionStep,
  type ConnectionTestResult,
  type PrecheckResult,
  type Progress,
} from '@sluice/contracts';
import { formatBar, formatBytes, formatCount, formatDuration, formatQuantity } from './format.js';

const MARKS = { passed: '✓', warning: '!', failed: '✗', blocked: '✗' } as const satisfies Record<CheckOutcome, string>;
const BAR_WIDTH = 24;

export type FullLoadProgress = Extract<Progress, { kind: 'full-load' }>;
export type CaptureProgress = Extract<Progress, { kind: 'capture' }>;
export type ApplyProgress = Extract<Progress, { kind: 'apply' }>;

export function connectionTestLines({ steps }: ConnectionTestResult): string[] {
  return steps.flatMap(stepLines);
}

function stepLines({ side, step, passed, error, facts }: ConnectionStep): string[] {
  const what = `${side}: ${step === 'connect' ? 'connection' : 'replication connection'}`;
  const seen = Object.entries(facts ?? {})
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  const first = `  ${passed ? MARKS.passed : MARKS.failed} ${what}${seen && `  ${seen}`}`;
  if (!error) return [first];
  return [`${first}  ${error.code}`, `      why: ${error.detail}`, `      fix: ${error.remedy}`];
}

export function precheckLines({ checks }: PrecheckResult): string[] {
  return checks.flatMap(checkLines);
}

function checkLines({ outcome, title, evidence, reason, fix }: CheckReport): string[] {
  return [
    `  ${MARKS[outcome]} ${title}${evidence && `: ${evidence}`}`,
    ...(reason === undefined ? [] : [`      why: ${reason}`]),
    ...(fix === undefined ? [] : [`      fix: ${fix}`]),
  ];
}

export function fullLoadLines(progress: FullLoadProgress): string[] {
  const { phase, tablesDone, tablesTotal, rowsDone, bytesDone, bytesTotal, stepsDone, stepsTotal } = progress;
  const bytesExpected = Math.max(bytesDone, bytesTotal);
  const tables = `${tablesDone}/${tablesTotal} tables`;
  switch (phase) {
    case 'structure':
    case 'snapshot':
    case 'finishing':
    case 'done':
      return [`full load: ${phase}`];
    case 'indexes':
      return [
        `full load: ${formatBar(stepsDone / Math.max(1, stepsTotal), BAR_WIDTH)} ${stepsDone}/${stepsTotal} indexes and constraints`,
      ];
    case 'data': {
      const left = progress.secondsLeft === null ? '' : `  ${formatDuration(progress.secondsLeft * 1000)} left`;
      const rate = `${formatBytes(progress.bytesPerSecond)}/s`;
      return [
        `full load: ${formatBar(bytesDone / Math.max(1, bytesExpected), BAR_WIDTH)} ${tables}  ${formatQuantity(rowsDone, 'row')}  ` +
          `${formatBytes(bytesDone)} of ${formatBytes(bytesExpected)}  ${rate}${left}`,
      ];
    }
  }
}

export interface IncrementalView {
  readonly apply: ApplyProgress | null;
  readonly capture: CaptureProgress | null;
  readonly transactionsPerSecond: number | null;
}

export function incrementalLines({ apply, capture, transactionsPerSecond }: IncrementalView): string[] {
  if (!apply) return ['incremental: starting'];
  const rate = transactionsPerSecond === null ? '' : `${formatCount(transactionsPerSecond)} transactions/s  `;
  const retained = capture ? `  ${formatBytes(capture.retainedBytes)} of WAL kept` : '';
  return [
    `incremental: delay ${formatDuration(apply.delayMs)}  ${rate}` +
      `${formatCount(apply.transactions)} transactions, ${formatCount(apply.changes)} changes applied${retained}`,
  ];
}

/** Transactions per second from counters that are read now and then. */
export class RateMeter {
  #previous: { readonly atMs: number; readonly count: number } | null = null;
  #perSecond: number | null = null;

  /** A counter that went back belongs to a new run and starts over. */
  read(count: number, atMs: number): number | null {
    const previous = this.#previous;
    if (previous && count > previous.count && atMs > previous.atMs) {
      this.#perSecond = ((count - previous.count) * 1000) / (atMs - previous.atMs);
    }
    if (!previous || count !== previous.count) this.#previous = { atMs, count };
    return this.#perSecond;
  }
}

/** The sum of a counter that begins anew with each run of a stage. */
export class RestartingCounter {
  #earlierRuns = 0;
  #thisRun = 0;

  read(count: number): void {
    if (count < this.#thisRun) this.#earlierRuns += this.#thisRun;
    this.#thisRun = count;
  }

  get total(): number {
    return this.#earlierRuns + this.#thisRun;
  }
}
