import { Inject, Injectable } from '@nestjs/common';
import {
  type CatalogAnswer,
  CatalogReply,
  type CatalogRequest,
  catalogRequests,
  ERRORS,
  type ErrorCode,
  SluiceError,
} from '@sluice/contracts';
import { Bus, request } from '@sluice/messaging';
import { BUS } from '@sluice/service-runtime';

/** Longer than a worker takes at most, so that its reason is heard. */
const ANSWER_TIMEOUT_MS = 30_000;

type AnswerOf<Look extends CatalogRequest['look']> = Extract<CatalogAnswer, { look: Look }>;

/** Asks workers about the sources of tasks, as task management connects to none. */
@Injectable()
export class SourceCatalog {
  constructor(@Inject(BUS) private readonly bus: Bus) {}

  /** @throws SluiceError 7001 when no worker answers; whatever the worker met: 1xxx, 6002. */
  async look<Asked extends CatalogRequest>(asked: Asked): Promise<AnswerOf<Asked['look']>> {
    const reply = await request(this.bus, catalogRequests, {
      params: {},
      payload: asked,
      reply: CatalogReply,
      timeoutMs: ANSWER_TIMEOUT_MS,
    });
    if (!reply.ok) {
      const { code, ...report } = reply.error;
      throw new SluiceError(isErrorCode(code) ? code : 'SLUICE-9001', report);
    }
    if (!isAnswerTo(asked, reply.answer))
      throw new SluiceError('SLUICE-7002', { detail: 'a catalogue was not what was asked for' });
    return reply.answer;
  }
}

function isAnswerTo<Asked extends CatalogRequest>(
  asked: Asked,
  answer: CatalogAnswer,
): answer is AnswerOf<Asked['look']> {
  return answer.look === asked.look;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
