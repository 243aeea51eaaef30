import { Inject, Injectable } from '@nestjs/common';
import { type CatalogAnswer, catalogQuestion, type CatalogRequest, SluiceError, type TaskId } from '@sluice/contracts';
import { ask, Bus } from '@sluice/messaging';
import { BUS } from '@sluice/service-runtime';

type AnswerOf<Look extends CatalogRequest['look']> = Extract<CatalogAnswer, { look: Look }>;

/** Asks workers about the sources of tasks, as task management connects to none. */
@Injectable()
export class SourceCatalog {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  /** @throws SluiceError 7001 when there is no bus, 7003 when no worker answers; whatever the worker met: 1xxx, 6002. */
  async look<Asked extends CatalogRequest>(taskId: TaskId, asked: Asked): Promise<AnswerOf<Asked['look']>> {
    const answer = await ask(this.bus, catalogQuestion, { taskId, asked });
    if (!isAnswerTo(asked, answer))
      throw new SluiceError('SLUICE-7002', { detail: 'a catalogue was not what was asked for' });
    return answer;
  }
}

function isAnswerTo<Asked extends CatalogRequest>(
  asked: Asked,
  answer: CatalogAnswer,
): answer is AnswerOf<Asked['look']> {
  return answer.look === asked.look;
}
