import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { OnRun, requestEndpoints, type RunContext } from '@sluice/messaging';
import { toEndpoint } from '@sluice/postgres-client';
import { RUNTIME, type RuntimeContext, runWithRecovery, stageReporter } from '@sluice/service-runtime';
import { type PrecheckConfig } from './precheck.config.js';
import { runPrechecks } from './run-prechecks.js';

@Controller()
export class PrecheckHandler {
  readonly #runtime: RuntimeContext<PrecheckConfig>;

  constructor(@Inject(RUNTIME) runtime: RuntimeContext<PrecheckConfig>) {
    this.#runtime = runtime;
  }

  @OnRun('precheck')
  handle(@Payload() run: StageRunOf<'precheck'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, config, service, worker } = this.#runtime;
    return runWithRecovery({
      run,
      context,
      reporter: stageReporter(bus, { run, worker, signal: context.signal }),
      work: async ({ signal }) => {
        const busKey = config.SLUICE_BUS_KEY;
        const { source, target } = await requestEndpoints(bus, run.task.taskId, { service, busKey });
        const { slotName: helperName, publicationName, incremental, users, objects: selection } = run.task;
        const report = await runPrechecks(
          { source: toEndpoint(source), target: toEndpoint(target) },
          {
            syncType: run.task.syncType,
            users,
            ddlCapture: incremental.ddl.enabled ? { helperName, publicationName } : null,
            selection,
            checkTimeoutMs: config.SLUICE_PRECHECK_CHECK_TIMEOUT_MS,
            signal,
          },
        );
        return { kind: 'succeeded', result: { stage: 'precheck', report } };
      },
    });
  }
}
