import { Controller, Get, Query } from '@nestjs/common';
import { type AlarmPage, MetadataDatabase } from '@sluice/metadata';
import { type Grant, Granted, narrow } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { AlarmListQuery } from './alarm-list.js';

@Controller('api/v1/alarms')
export class AlarmsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Get()
  @Requires({ of: 'any-project', role: 'viewer' })
  list(@Query() query: unknown, @Granted() grant: Grant): Promise<AlarmPage> {
    const { projectId, ...filters } = AlarmListQuery.parse(query);
    return this.metadata.alarms.list({ ...filters, projects: narrow(grant, projectId) });
  }
}
