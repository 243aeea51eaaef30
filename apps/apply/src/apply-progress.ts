import { type DelayParts } from '@sluice/contracts';
import { formatLsn, type Lsn, maxLsn, ZERO_LSN } from '@sluice/model';
import { type ConflictCounts, type TargetSession } from '@sluice/postgres-writer';
import { type StageReporter } from '@sluice/service-runtime';
import { type ReceivedTransaction } from './apply-loop-options.js';
import { type SourceTime } from './source-time.js';

const REPORT_INTERVAL_MS = 1_000;
/** How long the last transaction took is of interest for this time; then the source is idle. */
const RECENT_MS = 2_000;

interface Received extends ReceivedTransaction {
  /** By `performance.now()`. */
  readonly receivedAt: number;
}

/** Live numbers of a task's apply, about once a second. */
export class ApplyProgress {
  readonly #reporter: StageReporter;
  readonly #sourceTime: Pick<SourceTime, 'at'>;
  #target: Pick<TargetSession, 'appliedLsn' | 'durableLsn' | 'changeCount' | 'conflicts'> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #transactions = 0;
  #ddlCount: number | null = null;
  #outsideCount = 0;
  #forgedCount = 0;
  #changesBefore = 0;
  #conflictsBefore: ConflictCounts = { ignored: 0, overwritten: 0 };
  /** Received and not applied yet, one for each moment of receipt. */
  #waiting: Received[] = [];
  #receivedLsn: Lsn = ZERO_LSN;
  #receivedCommitTime: Date | null = null;
  #appliedCommitTime: Date | null = null;
  #appliedAt = -Infinity;
  #lastTransaction: DelayParts | null = null;

  constructor(reporter: StageReporter, sourceTime: Pick<SourceTime, 'at'>) {
    this.#reporter = reporter;
    this.#sourceTime = sourceTime;
  }

  begin(target: Pick<TargetSession, 'appliedLsn' | 'durableLsn' | 'changeCount' | 'conflicts'>): void {
    this.#target = target;
    this.#waiting = [];
    this.#receivedLsn = target.appliedLsn;
    this.#receivedCommitTime = this.#appliedCommitTime;
    this.#timer = setInterval(() => this.report(), REPORT_INTERVAL_MS);
    this.report();
  }

  received(transaction: ReceivedTransaction): void {
    this.#receivedLsn = transaction.endLsn;
    this.#receivedCommitTime = transaction.commitTime;
    const receivedAt = performance.now();
    const last = this.#waiting.at(-1);
    // Those of one batch come within the same millisecond: the newest stands for all, so that the list stays short.
    if (last && receivedAt - last.receivedAt < 1) this.#waiting.pop();
    this.#waiting.push({ ...transaction, receivedAt });
  }

  applied({ count, commitTime }: { count: number; commitTime: Date | null }): void {
    this.#transactions += count;
    if (!commitTime || !this.#target) return;
    const { appliedLsn } = this.#target;
    this.#appliedCommitTime = commitTime;
    this.#appliedAt = performance.now();
    const stillWaiting = this.#waiting.findIndex(({ endLsn }) => endLsn > appliedLsn);
    const done = this.#waiting.splice(0, stillWaiting === -1 ? this.#waiting.length : stillWaiting).at(-1);
    this.#lastTransaction = done ? this.#partsOf(done) : null;
  }

  /** @param count 0 says that DDL is followed. */
  ddlExecuted(count: number): void {
    this.#ddlCount = (this.#ddlCount ?? 0) + count;
  }

  ddlOutside(count: number): void {
    this.#outsideCount += count;
  }

  ddlForged(count: number): void {
    this.#forgedCount += count;
  }

  report(): void {
    const target = this.#target;
    if (!target) return;
    const last = performance.now() - this.#appliedAt <= RECENT_MS ? this.#lastTransaction : null;
    this.#reporter.progress({
      kind: 'apply',
      appliedLsn: formatLsn(target.appliedLsn),
      durableLsn: formatLsn(target.durableLsn),
      delayMs: last ? last.captureMs + last.transportMs + last.applyMs : 0,
      lastTransaction: last,
      transactions: this.#transactions,
      changes: this.#changesBefore + target.changeCount,
      conflicts: sum(this.#conflictsBefore, target.conflicts),
      ...(this.#ddlCount !== null && { ddl: this.#ddlCount }),
      ...(this.#outsideCount > 0 && { ddlOutside: this.#outsideCount }),
      ...(this.#forgedCount > 0 && { ddlForged: this.#forgedCount }),
      receivedLsn: formatLsn(maxLsn(this.#receivedLsn, target.appliedLsn)),
      receivedCommitTime: this.#receivedCommitTime?.toISOString() ?? null,
      appliedCommitTime: this.#appliedCommitTime?.toISOString() ?? null,
    });
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#changesBefore += this.#target?.changeCount ?? 0;
    if (this.#target) this.#conflictsBefore = sum(this.#conflictsBefore, this.#target.conflicts);
    this.#target = null;
  }

  /** Each difference is taken on one clock: the source's for the first two, ours for the last. */
  #partsOf({ commitTime, capturedAtMs, receivedAt }: Received): DelayParts | null {
    if (capturedAtMs === null) return null;
    const receivedAtMs = this.#sourceTime.at(receivedAt);
    return {
      captureMs: Math.max(0, capturedAtMs - commitTime.getTime()),
      transportMs: receivedAtMs === null ? 0 : Math.max(0, receivedAtMs - capturedAtMs),
      applyMs: this.#appliedAt - receivedAt,
    };
  }
}

function sum(one: Readonly<ConflictCounts>, other: Readonly<ConflictCounts>): ConflictCounts {
  return { ignored: one.ignored + other.ignored, overwritten: one.overwritten + other.overwritten };
}
