import { Controller, Get, Param, Query, UseGuards } from '@nestjs/common';
import { SluiceError } from '@sluice/contracts';
import { type ConflictPage, MetadataDatabase } from '@sluice/metadata';
import { ApiKeyGuard } from './api-key.guard.js';
import { ConflictListQuery, pageSize } from './conflict-list.js';
import { parseId } from './parse-id.js';

@Controller('api/v1/tasks/:id/conflicts')
@UseGuards(ApiKeyGuard)
export class ConflictsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Get()
  async list(@Param('id') id: string, @Query() query: unknown): Promise<ConflictPage> {
    const taskId = parseId(id, 'task');
    if (!(await this.metadata.tasks.find(taskId))) throw new SluiceError('SLUICE-6002', { detail: `task ${id}` });
    const filters = ConflictListQuery.parse(query);
    return this.metadata.conflicts.list({
      ...filters,
      taskId,
      limit: pageSize(filters),
      rows: filters.rows === 'true',
    });
  }
}
