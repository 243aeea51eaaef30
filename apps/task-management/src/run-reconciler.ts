import { Inject, Injectable } from '@nestjs/common';
import { stageRuns, type TaskId } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { Bus, desiredStates, publishRun, storedRunSubjects } from '@sluice/messaging';
import { type ExpectedRun, MetadataDatabase } from '@sluice/metadata';
import { extractContext, type Logger, withSpan } from '@sluice/telemetry';
import { storedCarrier } from './current-origin.js';
import { BUS, LOGGER } from '@sluice/service-runtime';

const INTERVAL_MS = 3_000;
/** Orders are put again when the bus lost them, which is seen at once; this is for what nobody saw. */
const DESIRED_EVERY_ROUNDS = 10;
const CLEAN_EVERY_ROUNDS = 1_000;
/** Replicas that publish the same run again within this time agree on one message id, so that the bus keeps one. */
const REPUBLISH_WINDOW_MS = 30_000;

/**
 * Compares what tasks are waiting for with what stands on the bus, and publishes again what is missing: after the bus
 * was wiped every active task goes on by itself. A run keeps its id, and what it did already stands in the databases.
 */
@Injectable()
export class RunReconciler {
  /** Missing in the last round. A worker acks its run right after it reported the end, so a first absence says nothing. */
  #missing: ReadonlySet<string> = new Set();
  #wake: () => void = () => undefined;
  #isBusLost = true;

  constructor(
    private readonly metadata: MetadataDatabase,
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Reconciles until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const forget = this.bus.onTopologyLost(() => {
      this.#isBusLost = true;
      this.#wake();
    });
    for (let round = 0; !signal.aborted; round += 1) {
      await this.#round(round).catch((error: unknown) => {
        this.log.info({ err: error }, 'runs could not be compared with the bus');
      });
      await this.#pause(signal);
    }
    forget();
  }

  async #round(round: number): Promise<void> {
    const wasLost = this.#isBusLost;
    if (wasLost || round % DESIRED_EVERY_ROUNDS === 0) await this.#restoreDesiredStates();
    await this.#restoreRuns(wasLost);
    // Only after both: a round that failed in between is a loss that is not mended yet.
    if (wasLost) this.#isBusLost = false;
    if (round % CLEAN_EVERY_ROUNDS === 0) await this.metadata.outbox.removeOld();
  }

  async #restoreRuns(wasLost: boolean): Promise<void> {
    // The bus is read after the tasks: a run that ended in between is missing in neither round.
    const unsent = await this.metadata.outbox.unsentRunIds();
    const expected = await this.metadata.tasks.expectedRuns();
    const stored = await storedRunSubjects(this.bus);
    const absent = expected.filter(({ run }) => !unsent.has(run.runId) && !stored.has(subjectOf(run)));
    for (const one of absent) {
      if (wasLost || this.#missing.has(one.run.runId)) await this.#publishAgain(one);
    }
    this.#missing = new Set(absent.map(({ run }) => run.runId));
  }

  async #publishAgain({ run, trace }: ExpectedRun): Promise<void> {
    const { runId, stage, epoch, task } = run;
    this.log.warn({ task_id: task.taskId, run_id: runId, stage, epoch }, 'run was missing on the bus; published again');
    const msgId = `${runId}:again:${Math.floor(Date.now() / REPUBLISH_WINDOW_MS)}`;
    await withSpan('publish run again', { parent: extractContext(storedCarrier(trace)) }, () =>
      publishRun(this.bus, run, { msgId }),
    );
  }

  async #restoreDesiredStates(): Promise<void> {
    const bucket = desiredStates(this.bus);
    for (const taskId of (await this.metadata.tasks.desiredStates()).keys()) {
      if ((await bucket.get(taskId)) !== null) continue;
      await this.#putNewest(taskId);
    }
  }

  /** A newer order can be put while ours is on its way; reading again afterwards makes the newest the last one. */
  async #putNewest(taskId: TaskId): Promise<void> {
    const bucket = desiredStates(this.bus);
    for (let put: string | null = null; ;) {
      const newest = (await this.metadata.tasks.desiredStates()).get(taskId);
      const text = JSON.stringify(newest);
      if (!newest || text === put) return;
      await bucket.put(taskId, newest);
      put = text;
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const timer = new AbortController();
    const either = AbortSignal.any([signal, timer.signal]);
    await Promise.race([woken, delay(INTERVAL_MS, either).catch(() => undefined)]);
    timer.abort();
  }
}

function subjectOf({ stage, task }: ExpectedRun['run']): string {
  return stageRuns.format({ stage, taskId: task.taskId });
}
