import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { OnRun, requestEndpoints, type RunContext } from '@sluice/messaging';
import { toEndpoint } from '@sluice/postgres-client';
import { RUNTIME, type RuntimeContext, stageReporter } from '@sluice/service-runtime';
import { runCapture } from './capture-run.js';
import { type CaptureConfig } from './capture.config.js';

@Controller()
export class CaptureHandler {
  readonly #runtime: RuntimeContext<CaptureConfig>;

  constructor(@Inject(RUNTIME) runtime: RuntimeContext<CaptureConfig>) {
    this.#runtime = runtime;
  }

  @OnRun('capture')
  handle(@Payload() run: StageRunOf<'capture'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, config, service, worker } = this.#runtime;
    const busKey = config.SLUICE_BUS_KEY;
    return runCapture({
      run,
      context,
      bus,
      config,
      reporter: stageReporter(bus, { run, worker, signal: context.signal }),
      loadSource: async () => toEndpoint((await requestEndpoints(bus, run.task.taskId, { service, busKey })).source),
    });
  }
}
