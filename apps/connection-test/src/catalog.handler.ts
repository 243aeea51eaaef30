import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { catalogQuestion, type QuestionMessage, type QuestionReply } from '@sluice/contracts';
import { answer, OnRequest } from '@sluice/messaging';
import { RUNTIME, type RuntimeContext } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { lookAtSource } from './look-at-source.js';
import { QuestionPlaces } from './question-places.js';
import { endpointsOf } from './question-session.js';

/** Answers what task management asks about sources, which it does not connect to. */
@Controller()
export class CatalogHandler {
  constructor(
    @Inject(RUNTIME) private readonly runtime: RuntimeContext<ConnectionTestConfig>,
    private readonly places: QuestionPlaces,
  ) {}

  @OnRequest(catalogQuestion)
  handle(@Payload() message: QuestionMessage): Promise<QuestionReply> {
    return answer(catalogQuestion, {
      message,
      log: this.runtime.log,
      work: (asked, signal) =>
        this.places.use(signal, async () =>
          lookAtSource((await endpointsOf(this.runtime, message.taskId)).source, asked),
        ),
    });
  }
}
