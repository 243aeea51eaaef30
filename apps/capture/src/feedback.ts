import { appliedMessages, type TaskSpec } from '@sluice/contracts';
import { type Lsn, parseLsn } from '@sluice/model';
import { type Bus, type Listening, subscribe } from '@sluice/messaging';
import { ConfirmationTracker, type WalStream } from '@sluice/postgres-replication';
import { killPoint } from '@sluice/service-runtime';

/** Passes on to the source what apply reports as durable, or the bus has stored if that was ordered: the only place that lets the slot move (I1). */
export class Feedback implements Disposable {
  readonly #tracker: ConfirmationTracker;
  readonly #stream: Pick<WalStream, 'confirm'>;
  readonly #listening: Listening;
  readonly #onAdvance: () => void;

  constructor(
    bus: Bus,
    options: { task: TaskSpec; startLsn: Lsn; stream: Pick<WalStream, 'confirm'>; onAdvance: () => void },
  ) {
    const { taskId, incremental } = options.task;
    this.#tracker = new ConfirmationTracker(options.startLsn, incremental.confirm);
    this.#stream = options.stream;
    this.#onAdvance = options.onAdvance;
    this.#listening = subscribe(bus, appliedMessages, {
      params: { taskId },
      handle: ({ durableLsn }) => this.#change(() => this.#tracker.durable(parseLsn(durableLsn))),
    });
  }

  get confirmedLsn(): Lsn {
    return this.#tracker.confirmedLsn;
  }

  /** @param isRemovable apply may remove something of it from the bus before it has it on disk. */
  published(watermarkLsn: Lsn, isRemovable: boolean): void {
    this.#change(() => this.#tracker.published(watermarkLsn, isRemovable));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  #change(apply: () => void): void {
    const beforeLsn = this.#tracker.confirmedLsn;
    apply();
    if (this.#tracker.confirmedLsn === beforeLsn) return;
    killPoint('capture-before-status-update');
    this.#stream.confirm(this.#tracker.confirmedLsn);
    this.#onAdvance();
  }
}
