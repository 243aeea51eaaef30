import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type QuestionMessage, type QuestionReply, sourceRolesQuestion } from '@sluice/contracts';
import { answer, OnRequest } from '@sluice/messaging';
import { RUNTIME, type RuntimeContext } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { QuestionPlaces } from './question-places.js';
import { endpointsOf } from './question-session.js';
import { readSourceRoles } from './source-roles.js';

@Controller()
export class SourceRolesHandler {
  constructor(
    @Inject(RUNTIME) private readonly runtime: RuntimeContext<ConnectionTestConfig>,
    private readonly places: QuestionPlaces,
  ) {}

  @OnRequest(sourceRolesQuestion)
  handle(@Payload() message: QuestionMessage): Promise<QuestionReply> {
    return answer(sourceRolesQuestion, {
      message,
      log: this.runtime.log,
      work: (asked, signal) =>
        this.places.use(signal, async () => readSourceRoles(await endpointsOf(this.runtime, message.taskId), asked)),
    });
  }
}
