import { Controller, Get } from '@nestjs/common';
import { Requires } from '../access/requires.js';
import { openApiDocument } from './openapi.js';

/** What may be read without an API key. */
@Controller()
export class DocumentsController {
  readonly #openApi = openApiDocument();

  @Get(['', 'api/v1'])
  @Requires({ of: 'nobody' })
  links(): Readonly<Record<string, unknown>> {
    return {
      name: 'Sluice',
      links: {
        tasks: '/api/v1/tasks',
        events: '/api/v1/tasks/events',
        projects: '/api/v1/projects',
        apiKeys: '/api/v1/api-keys',
        auditEvents: '/api/v1/audit-events',
        openapi: '/api/v1/openapi.json',
        live: '/health/live',
        ready: '/health/ready',
      },
    };
  }

  @Get('api/v1/openapi.json')
  @Requires({ of: 'nobody' })
  openApi(): Readonly<Record<string, unknown>> {
    return this.#openApi;
  }
}
