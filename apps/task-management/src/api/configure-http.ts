import { type INestApplication } from '@nestjs/common';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { assert } from '@sluice/kernel';
import { type Logger } from '@sluice/telemetry';
import { RefusalAudit } from '../access/refusal-audit.js';
import { MEDIA_TYPES } from '../object-list/object-list-formats.js';
import { ProblemFilter } from './problem.filter.js';
import { securityHeaders } from './security-headers.js';

/** Three certificates of 500 KB on a side fit, twice, with room for a JSON encoding of their line breaks. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Body limit, problem documents and headers. */
export function configureHttp(app: INestApplication, log: Logger): void {
  assert(isExpress(app), 'task management runs on Express');
  app.disable('x-powered-by');
  // A task's tag is its revision, and nothing else has one.
  app.disable('etag');
  app.use(securityHeaders);
  app.useBodyParser('json', { limit: BODY_BYTES_MAX });
  app.useBodyParser('raw', { limit: BODY_BYTES_MAX, type: Object.values(MEDIA_TYPES) });
  app.useGlobalFilters(new ProblemFilter(log, app.get(RefusalAudit)));
}

function isExpress(app: INestApplication): app is NestExpressApplication {
  return app.getHttpAdapter().getType() === 'express';
}
