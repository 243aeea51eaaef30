import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { OnRun, requestEndpoints, type RunContext } from '@sluice/messaging';
import { toEndpoint } from '@sluice/postgres-client';
import { RUNTIME, type RuntimeContext, runWithRecovery, stageReporter } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { testConnections } from './test-connections.js';

type Run = StageRunOf<'connection-test'>;

@Controller()
export class ConnectionTestHandler {
  readonly #runtime: RuntimeContext<ConnectionTestConfig>;

  constructor(@Inject(RUNTIME) runtime: RuntimeContext<ConnectionTestConfig>) {
    this.#runtime = runtime;
  }

  @OnRun('connection-test')
  handle(@Payload() run: Run, @Ctx() context: RunContext): Promise<void> {
    const { bus, config, service, worker } = this.#runtime;
    return runWithRecovery({
      run,
      context,
      reporter: stageReporter(bus, { run, worker, signal: context.signal }),
      // A connection that fails is the result of the test; what is retried here is the way to the credentials.
      work: async () => {
        const busKey = config.SLUICE_BUS_KEY;
        const { source, target } = await requestEndpoints(bus, run.task.taskId, { service, busKey });
        const report = await testConnections(
          { source: toEndpoint(source), target: toEndpoint(target) },
          {
            stepTimeoutMs: config.SLUICE_CONNECTION_TEST_STEP_TIMEOUT_MS,
            needsReplication: run.task.syncType !== 'full',
          },
        );
        return { kind: 'succeeded', result: { stage: 'connection-test', report } };
      },
    });
  }
}
