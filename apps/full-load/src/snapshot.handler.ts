import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { OnRun, type RunContext } from '@sluice/messaging';
import { recordLoadError } from '@sluice/postgres-snapshot';
import { RUNTIME, type RuntimeContext, runWithRecovery, watchDesired } from '@sluice/service-runtime';
import { type SnapshotHolderConfig } from './full-load.config.js';
import { holdSnapshot } from './hold-snapshot.js';
import { ledgerReporter } from './ledger-reporter.js';
import { classifyLoadError } from './load-errors.js';
import { databasesFromBus, type FindDatabases } from './task-databases.js';

/** Alone in its process, so that a crash of a copy worker costs no snapshot. */
@Controller()
export class SnapshotHandler {
  readonly #runtime: RuntimeContext<SnapshotHolderConfig>;
  readonly #findDatabases: FindDatabases;

  constructor(@Inject(RUNTIME) runtime: RuntimeContext<SnapshotHolderConfig>) {
    this.#runtime = runtime;
    const { bus, service, config } = runtime;
    this.#findDatabases = databasesFromBus(bus, { service, busKey: config.SLUICE_BUS_KEY });
  }

  @OnRun('snapshot')
  async hold(@Payload() run: StageRunOf<'snapshot'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, config } = this.#runtime;
    const { taskId } = run.task;
    using desired = await watchDesired(bus, run, context.signal);
    await runWithRecovery({
      run,
      context,
      reporter: ledgerReporter({
        taskId,
        epoch: run.epoch,
        findDatabases: this.#findDatabases,
        record: (target, error) => recordLoadError(target, taskId, error),
      }),
      reportsLife: false,
      classify: classifyLoadError,
      work: async ({ signal, onHealthy }) =>
        holdSnapshot({
          run,
          databases: await this.#findDatabases(taskId),
          signal,
          // A newer epoch that runs goes on under the same snapshot.
          isStopOrdered: () => desired.current.desired !== 'running',
          onHealthy,
          lockTimeoutMs: config.SLUICE_FULL_LOAD_SLOT_LOCK_TIMEOUT_MS,
        }),
    });
  }
}
