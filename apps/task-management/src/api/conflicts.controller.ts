import { Controller, Get, Param, Query } from '@nestjs/common';
import { type ConflictPage, MetadataDatabase } from '@sluice/metadata';
import { Requires } from '../access/requires.js';
import { ConflictListQuery, pageSize } from './conflict-list.js';

@Controller('api/v1/tasks/:id/conflicts')
export class ConflictsController {
  constructor(private readonly metadata: MetadataDatabase) {}

  @Get()
  @Requires({ of: 'task', role: 'viewer' })
  async list(@Param('id') id: string, @Query() query: unknown): Promise<ConflictPage> {
    const filters = ConflictListQuery.parse(query);
    return this.metadata.conflicts.list({
      ...filters,
      taskId: id,
      limit: pageSize(filters),
      rows: filters.rows === 'true',
    });
  }
}
