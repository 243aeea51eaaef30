import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { type AlarmPage, MetadataDatabase } from '@sluice/metadata';
import { AlarmListQuery } from './alarm-list.js';
import { ApiKeyGuard } from './api-key.guard.js';

@Controller('api/v1/alarms')
@UseGuards(ApiKeyGuard)
export class AlarmsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Get()
  list(@Query() query: unknown): Promise<AlarmPage> {
    const { projectId, ...filters } = AlarmListQuery.parse(query);
    return this.metadata.alarms.list({ ...filters, projects: projectId === undefined ? 'all' : [projectId] });
  }
}
