import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { OnRun, type RunContext } from '@sluice/messaging';
import { recordChunkError, recordStepError } from '@sluice/postgres-snapshot';
import { RUNTIME, type RuntimeContext, runWithRecovery } from '@sluice/service-runtime';
import { buildOne, buildSessions } from './build-worker.js';
import { CopyOrderBook } from './copy-orders.js';
import { copyOne, copySessions } from './copy-worker.js';
import { type FullLoadConfig } from './full-load.config.js';
import { ledgerReporter } from './ledger-reporter.js';
import { classifyLoadError } from './load-errors.js';
import { databasesFromBus, type FindDatabases } from './task-databases.js';

/** The items that coordinators give out; how they end stands in the ledger. */
@Controller()
export class WorkItemHandler {
  readonly #findDatabases: FindDatabases;
  readonly #existingRoles: boolean;
  readonly #copySessions: ReturnType<typeof copySessions>;
  readonly #buildSessions: ReturnType<typeof buildSessions>;

  constructor(@Inject(RUNTIME) { bus, service, config, onShutdown }: RuntimeContext<FullLoadConfig>) {
    this.#findDatabases = databasesFromBus(bus, { service, busKey: config.SLUICE_BUS_KEY });
    this.#existingRoles = config.SLUICE_FULL_LOAD_ROLES === 'existing';
    this.#copySessions = copySessions(this.#findDatabases, new CopyOrderBook(bus));
    this.#buildSessions = buildSessions(this.#findDatabases, config);
    onShutdown(async () => {
      await this.#copySessions[Symbol.asyncDispose]();
      await this.#buildSessions[Symbol.asyncDispose]();
    });
  }

  @OnRun('copy')
  async copy(@Payload() run: StageRunOf<'copy'>, @Ctx() context: RunContext): Promise<void> {
    const { taskId } = run.task;
    await runWithRecovery({
      run,
      context,
      reporter: ledgerReporter({
        taskId,
        epoch: run.epoch,
        findDatabases: this.#findDatabases,
        record: (target, error) => recordChunkError(target, { chunkId: run.chunkId, taskId }, error),
      }),
      reportsLife: false,
      classify: classifyLoadError,
      work: ({ signal }) => copyOne(run, { sessions: this.#copySessions, signal, existingRoles: this.#existingRoles }),
    });
  }

  @OnRun('build')
  async build(@Payload() run: StageRunOf<'build'>, @Ctx() context: RunContext): Promise<void> {
    const { taskId } = run.task;
    await runWithRecovery({
      run,
      context,
      reporter: ledgerReporter({
        taskId,
        epoch: run.epoch,
        findDatabases: this.#findDatabases,
        record: (target, error) => recordStepError(target, { stepId: run.stepId, taskId }, error),
      }),
      reportsLife: false,
      classify: classifyLoadError,
      work: ({ signal }) => buildOne(run, { sessions: this.#buildSessions, signal }),
    });
  }
}
