import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type StageEvent, stageEvents } from '@sluice/contracts';
import { OnEvent } from '@sluice/messaging';
import { MetadataDatabase } from '@sluice/metadata';
import { decideEvent } from '@sluice/model';
import { type Logger } from '@sluice/telemetry';
import { currentOrigin } from './current-origin.js';
import { OutboxDispatcher } from './outbox-dispatcher.js';
import { LOGGER } from '@sluice/service-runtime';

/** What workers say about their runs: it changes the task. */
@Controller()
export class StageEventHandler {
  constructor(
    private readonly metadata: MetadataDatabase,
    private readonly outbox: OutboxDispatcher,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Rejects when the database is away: the event stays on the bus and comes again. */
  @OnEvent(stageEvents, 'task-management')
  async onStageEvent(@Payload() event: StageEvent): Promise<void> {
    const { taskId, stage, outcome, epoch } = event;
    let isObeyed = false;
    const task = await this.metadata.tasks.transition(
      taskId,
      (situation) => {
        const decision = decideEvent(situation, event);
        isObeyed = decision !== null;
        return decision;
      },
      { origin: currentOrigin({ actor: event.worker, keyId: null, role: null, address: null }) },
    );
    const fields = { task_id: taskId, stage, outcome, epoch, state: task?.situation.state };
    this.log[isObeyed ? 'info' : 'debug'](fields, isObeyed ? 'stage event' : 'stage event changed nothing');
    if (isObeyed) this.outbox.kick();
  }
}
