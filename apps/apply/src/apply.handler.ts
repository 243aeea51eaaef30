import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { type StageRunOf } from '@sluice/contracts';
import { OnRun, type RunContext } from '@sluice/messaging';
import { RUNTIME, type RuntimeContext } from '@sluice/service-runtime';
import { type ApplyConfig } from './apply.config.js';
import { runApply } from './apply-run.js';

@Controller()
export class ApplyHandler {
  constructor(@Inject(RUNTIME) private readonly runtime: RuntimeContext<ApplyConfig>) {}

  @OnRun('apply')
  handle(@Payload() run: StageRunOf<'apply'>, @Ctx() context: RunContext): Promise<void> {
    return runApply(run, context, this.runtime);
  }
}
