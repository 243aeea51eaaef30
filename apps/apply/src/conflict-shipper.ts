import { type TaskId } from '@sluice/contracts';
import { type Bus, recordConflicts } from '@sluice/messaging';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { type ConflictCounts, handOverJournal } from '@sluice/postgres-writer';
import { type Logger } from '@sluice/telemetry';

/** How soon a conflict can be seen by people. */
const LOOK_INTERVAL_MS = 1_000;
/** The end of a run waits for the last of them, but not for long: what is left is handed over by the next run or by the clean-up. */
const END_TIMEOUT_MS = 3_000;

export interface ConflictShipperOptions {
  readonly taskId: TaskId;
  readonly target: Endpoint;
  /** What the writer of rows has resolved; the target is asked only when there is more of it. */
  readonly counts: () => Readonly<ConflictCounts>;
  readonly log: Pick<Logger, 'info'>;
}

/**
 * Hands the journal of conflicts to task management, on a session of its own and never in the way of the rows.
 *
 * Maintained invariant: a conflict is deleted from the target's journal only after task management has said that it has it.
 */
export class ConflictShipper implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #options: ConflictShipperOptions;
  readonly #timer: NodeJS.Timeout;
  /** -1: what an earlier run left is unknown. */
  #shipped = -1;
  #shipping: Promise<void> | null = null;

  constructor(bus: Bus, options: ConflictShipperOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const { promise: inTime, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_TIMEOUT_MS);
    // A conflict that stopped the task is not among the counts.
    const last = (async (): Promise<void> => {
      await this.#shipping;
      await this.#ship();
    })();
    await Promise.race([last, inTime]);
    clearTimeout(timer);
  }

  async #look(): Promise<void> {
    const { ignored, overwritten } = this.#options.counts();
    const count = ignored + overwritten;
    if (this.#shipping || count === this.#shipped) return;
    this.#shipping = this.#ship().then((isDone) => {
      if (isDone) this.#shipped = count;
      this.#shipping = null;
    });
    await this.#shipping;
  }

  /** Never rejects; false when it is to be tried again. */
  async #ship(): Promise<boolean> {
    const { target, taskId, log } = this.#options;
    try {
      await using client = await connect(target, { applicationName: `conflicts ${taskId}` });
      const count = await handOverJournal(client, taskId, (conflicts) => recordConflicts(this.#bus, taskId, conflicts));
      if (count > 0) log.info({ conflicts: count }, 'conflicts handed over');
      return true;
    } catch (error) {
      log.info({ err: error }, 'conflicts could not be handed over; they will be again');
      return false;
    }
  }
}
