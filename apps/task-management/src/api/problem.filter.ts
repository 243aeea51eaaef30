import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import { currentTraceId, type Logger } from '@sluice/telemetry';
import { type Response } from 'express';
import { LOGGER } from '@sluice/service-runtime';
import { toProblem } from './problem.js';

/** Answers every error with a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const response = host.switchToHttp().getResponse<Response>();
    const problem = toProblem(error, currentTraceId());
    if (problem.status >= 500) this.log.error({ err: error }, 'request failed');
    if (response.headersSent) {
      response.end();
      return;
    }
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
