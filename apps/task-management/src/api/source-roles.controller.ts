import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { SluiceError, type SourceRoleList, sourceRolesQuestion, SourceRolesQuery } from '@sluice/contracts';
import { ask, type Bus } from '@sluice/messaging';
import { MetadataDatabase } from '@sluice/metadata';
import { BUS } from '@sluice/service-runtime';
import { Requires } from '../access/requires.js';

@Controller('api/v1/tasks/:id/source-roles')
export class SourceRolesController {
  constructor(
    private readonly metadata: MetadataDatabase,
    @Inject(BUS) private readonly bus: Bus,
  ) {}

  /** Asked of a worker, as this service opens no database but its own. */
  @Get()
  @Requires({ of: 'task', role: 'viewer' })
  async list(@Param('id') id: string, @Query() query: unknown): Promise<SourceRoleList> {
    const filters = SourceRolesQuery.parse(query);
    const task = await this.metadata.tasks.find(id);
    if (!task) throw new SluiceError('SLUICE-6002', { detail: `task ${id}` });
    const { passwords, privileges } = task.users;
    return ask(this.bus, sourceRolesQuestion, { taskId: id, asked: { ...filters, wishes: { passwords, privileges } } });
  }
}
