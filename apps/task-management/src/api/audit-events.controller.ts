import { Controller, Get, Query } from '@nestjs/common';
import { type AuditEvent, AuditQuery } from '@sluice/contracts';
import { MetadataDatabase, type Page } from '@sluice/metadata';
import { type Grant, Granted, narrow } from '../access/granted.js';
import { Requires } from '../access/requires.js';

@Controller('api/v1/audit-events')
export class AuditEventsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Get()
  @Requires({ of: 'any-project', role: 'admin' })
  list(@Query() query: unknown, @Granted() grant: Grant): Promise<Page<AuditEvent>> {
    const { projectId, ...filters } = AuditQuery.parse(query);
    return this.metadata.audit.list({ ...filters, projects: narrow(grant, projectId) });
  }
}
