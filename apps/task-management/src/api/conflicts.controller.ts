import { Controller, Get, Param, Query, UseGuards } from '@nestjs/common';
import { SluiceError, TaskId } from '@sluice/contracts';
import { type ConflictPage, MetadataDatabase } from '@sluice/metadata';
import { ApiKeyGuard } from './api-key.guard.js';
import { ConflictListQuery, pageSize } from './conflict-list.js';

@Controller('api/v1/tasks/:id/conflicts')
@UseGuards(ApiKeyGuard)
export class ConflictsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Get()
  async list(@Param('id') id: string, @Query() query: unknown): Promise<ConflictPage> {
    const taskId = TaskId.safeParse(id);
    if (!taskId.success || !(await this.metadata.tasks.find(taskId.data)))
      throw new SluiceError('SLUICE-6002', { detail: 'no task has this id' });
    const filters = ConflictListQuery.parse(query);
    return this.metadata.conflicts.list({
      ...filters,
      taskId: taskId.data,
      limit: pageSize(filters),
      rows: filters.rows === 'true',
    });
  }
}
