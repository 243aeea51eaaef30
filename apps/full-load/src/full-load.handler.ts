import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { recordLoadError } from '@sluice/postgres-snapshot';
import { OnRun, publishRun, recordConflicts, type RunContext } from '@sluice/messaging';
import {
  killPoint,
  RUNTIME,
  type RuntimeContext,
  runWithRecovery,
  stageReporter,
  watchDesired,
} from '@sluice/service-runtime';
import { cleanUp } from './clean-up.js';
import { coordinateLoad } from './coordinate-load.js';
import { type FullLoadConfig } from './full-load.config.js';
import { finishOpenLoad } from './finish-load.js';
import { ledgerReporter } from './ledger-reporter.js';
import { lettingGo } from './let-go.js';
import { classifyLoadError } from './load-errors.js';
import { databasesFromBus, type FindDatabases } from './task-databases.js';

const BYTES_PER_MB = 1024 * 1024;

/** The stages that task management orders and hears of, and the rest of a load, which apply orders. */
@Controller()
export class FullLoadHandler {
  readonly #runtime: RuntimeContext<FullLoadConfig>;
  readonly #findDatabases: FindDatabases;

  constructor(@Inject(RUNTIME) runtime: RuntimeContext<FullLoadConfig>) {
    this.#runtime = runtime;
    const { bus, service, config } = runtime;
    this.#findDatabases = databasesFromBus(bus, { service, busKey: config.SLUICE_BUS_KEY });
  }

  @OnRun('full-load')
  async load(@Payload() run: StageRunOf<'full-load'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, config, worker } = this.#runtime;
    const { signal, log } = context;
    using desired = await watchDesired(bus, run, signal);
    const { taskId } = run.task;
    const reporter = stageReporter(bus, { run, worker, signal });
    await runWithRecovery({
      run,
      context,
      reporter: lettingGo(reporter, { taskId, findDatabases: this.#findDatabases, log }),
      classify: classifyLoadError,
      work: async ({ onHealthy }) =>
        coordinateLoad({
          run,
          databases: await this.#findDatabases(taskId),
          signal,
          isStopOrdered: () => desired.isSuperseded || desired.current.desired !== 'running',
          publishItem: (item, msgId) => publishRun(bus, item, { msgId }),
          report: (progress) => reporter.progress(progress),
          onHealthy,
          passing: killPoint,
          log,
          chunkBytes: config.SLUICE_FULL_LOAD_CHUNK_MB * BYTES_PER_MB,
          roles: config.SLUICE_FULL_LOAD_ROLES,
        }),
    });
  }

  @OnRun('finish-load')
  async finish(@Payload() run: StageRunOf<'finish-load'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, worker } = this.#runtime;
    const { signal } = context;
    const { taskId } = run.task;
    using desired = await watchDesired(bus, run, signal);
    const live = stageReporter(bus, { run, worker, signal });
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
      work: async () =>
        finishOpenLoad({
          run,
          databases: await this.#findDatabases(taskId),
          signal,
          // A task that ends is finished first: apply waits for it.
          isStopOrdered: () => desired.isSuperseded || desired.current.desired === 'paused',
          publishItem: (item, msgId) => publishRun(bus, item, { msgId }),
          report: (progress) => live.progress(progress),
        }),
    });
  }

  @OnRun('cleanup')
  async cleanUp(@Payload() run: StageRunOf<'cleanup'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, worker } = this.#runtime;
    await runWithRecovery({
      run,
      context,
      reporter: stageReporter(bus, { run, worker, signal: context.signal }),
      classify: classifyLoadError,
      work: async () =>
        cleanUp(run, await this.#findDatabases(run.task.taskId), (conflicts) =>
          recordConflicts(bus, run.task.taskId, conflicts),
        ),
    });
  }
}
