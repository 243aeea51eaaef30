import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { currentTraceId, type Logger } from '@sluice/telemetry';
import { type Request, type Response } from 'express';
import { type RefusalAudit } from '../access/refusal-audit.js';
import { toProblem } from './problem.js';

/** Answers every error with a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Logger,
    private readonly refusals: RefusalAudit,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const problem = toProblem(error, currentTraceId());
    await this.refusals.record(http.getRequest<Request>(), problem.code);
    if (problem.status >= 500) this.log.error({ err: error }, 'request failed');
    if (response.headersSent) {
      response.end();
      return;
    }
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
