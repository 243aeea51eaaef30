import { Controller, Get, Inject, Module } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { OnRun, type RunContext } from '@sluice/messaging';
import { killPoint } from '../kill-point.js';
import { BaseConfig } from '../load-config.js';
import { runService } from '../run-service.js';
import { runWithRecovery } from '../run-with-recovery.js';
import { stageReporter } from '../stage-reporter.js';
import { type RuntimeContext } from '../runtime-context.js';
import { RUNTIME } from '../tokens.js';

/** The smallest service that has everything a real one has; specs run it as a process. */
@Controller()
class TinyHandler {
  constructor(@Inject(RUNTIME) private readonly runtime: RuntimeContext<BaseConfig>) {}

  @Get('/hello')
  hello(): { worker: string } {
    return { worker: this.runtime.worker };
  }

  /** Works until it is told to stop. */
  @OnRun('capture')
  async handle(@Payload() run: StageRunOf<'capture'>, @Ctx() context: RunContext): Promise<void> {
    const { bus, worker } = this.runtime;
    killPoint('tiny.begin');
    await runWithRecovery({
      run,
      context,
      reporter: stageReporter(bus, { run, worker, signal: context.signal }),
      work: async ({ signal, onHealthy }) => {
        onHealthy();
        await delay(3_600_000, signal);
        return { kind: 'done' };
      },
    });
  }
}

@Module({ controllers: [TinyHandler] })
class TinyModule {}

await runService({ name: 'tiny', config: BaseConfig, module: () => TinyModule });
