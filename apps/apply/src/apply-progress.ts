import { formatLsn } from '@sluice/model';
import { type TargetSession } from '@sluice/postgres-writer';
import { type StageReporter } from '@sluice/service-runtime';

const REPORT_INTERVAL_MS = 1_000;
/** An applied transaction is no delay any more once nothing newer came for this long. */
const IDLE_AFTER_MS = 2_000;

/** Live numbers of a task's apply, about once a second. */
export class ApplyProgress {
  readonly #reporter: StageReporter;
  #target: TargetSession | null = null;
  #timer: NodeJS.Timeout | null = null;
  #transactions = 0;
  #changesBefore = 0;
  #lastCommitTime: Date | null = null;
  #lastAppliedAt = 0;
  #delayMs = 0;

  constructor(reporter: StageReporter) {
    this.#reporter = reporter;
  }

  begin(target: TargetSession): void {
    this.#target = target;
    this.#timer = setInterval(() => this.report(), REPORT_INTERVAL_MS);
    this.report();
  }

  applied({ count, commitTime }: { count: number; commitTime: Date | null }): void {
    this.#transactions += count;
    if (!commitTime) return;
    this.#lastCommitTime = commitTime;
    this.#lastAppliedAt = Date.now();
    this.#delayMs = Math.max(0, this.#lastAppliedAt - commitTime.getTime());
  }

  report(): void {
    const target = this.#target;
    if (!target) return;
    const isIdle = this.#lastCommitTime === null || Date.now() - this.#lastAppliedAt > IDLE_AFTER_MS;
    this.#reporter.progress({
      kind: 'apply',
      appliedLsn: formatLsn(target.appliedLsn),
      durableLsn: formatLsn(target.durableLsn),
      delayMs: isIdle ? 0 : this.#delayMs,
      transactions: this.#transactions,
      changes: this.#changesBefore + target.changeCount,
    });
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#changesBefore += this.#target?.changeCount ?? 0;
    this.#target = null;
  }
}
