import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  UseInterceptors,
} from '@nestjs/common';
import {
  CreateTaskRequest,
  EndTaskRequest,
  type NameCheck,
  NameCheckQuery,
  SluiceError,
  STORED_REPLICAS_MIN,
  type TaskResource,
} from '@sluice/contracts';
import { Bus } from '@sluice/messaging';
import { type Page } from '@sluice/metadata';
import { parseTaskAction } from '@sluice/model';
import { BUS } from '@sluice/service-runtime';
import { type Request } from 'express';
import { z } from 'zod';
import { TaskOrders } from '../task-orders.js';
import { Audits } from '../access/audits.js';
import { type Grant, Granted, grantedProject, narrow } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { ConditionalCaller, type ConditionalOrigin, TaskTag } from './conditional.js';
import { announceCreated, createOptions } from './idempotency.js';
import { TaskListQuery } from './task-list.js';

/** Actions without parameters accept `{}` or nothing. */
const NoBody = z.strictObject({}).prefault({});

@Controller('api/v1/tasks')
export class TasksController {
  constructor(
    private readonly orders: TaskOrders,
    @Inject(BUS) private readonly bus: Bus,
  ) {}

  @Post()
  @UseInterceptors(TaskTag)
  @Requires({ of: 'named-project', in: 'body', role: 'operator' })
  @Audits({ kind: 'task', action: 'create' })
  async create(@Body() body: unknown, @Granted() grant: Grant, @Req() httpRequest: Request): Promise<TaskResource> {
    const request = CreateTaskRequest.parse(body);
    requireReplicas(request, this.bus.replicas);
    const { task, isReplay } = await this.orders.create(
      { ...request, projectId: grantedProject(grant) },
      createOptions(httpRequest, grant.origin),
    );
    announceCreated(httpRequest, `/api/v1/tasks/${task.id}`, isReplay);
    return task;
  }

  @Post(':id/:action')
  @UseInterceptors(TaskTag)
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: ({ params }) => String(params['action']).slice(0, 50) })
  @HttpCode(200)
  act(
    @Param() { id, action }: { readonly id: string; readonly action: string },
    @Body() body: unknown,
    @ConditionalCaller() by: ConditionalOrigin,
  ): Promise<TaskResource> {
    const known = parseTaskAction(action);
    if (!known || known === 'delete' || known === 'set_rate_limit')
      throw new SluiceError('SLUICE-6002', { detail: `no action of this name` });
    if (known === 'end') return this.orders.act(id, { action: known, by, end: EndTaskRequest.parse(body) });
    NoBody.parse(body);
    return this.orders.act(id, { action: known, by });
  }

  @Get()
  @Requires({ of: 'any-project', role: 'viewer' })
  list(@Query() query: unknown, @Granted() grant: Grant): Promise<Page<TaskResource>> {
    const { projectId, ...filters } = TaskListQuery.parse(query);
    return this.orders.list({ ...filters, projects: narrow(grant, projectId) });
  }

  @Get('name-check')
  @Requires({ of: 'named-project', in: 'query', role: 'viewer' })
  checkName(@Query() query: unknown, @Granted() grant: Grant): Promise<NameCheck> {
    const { name } = NameCheckQuery.parse(query);
    return this.orders.checkName(name, grantedProject(grant));
  }

  @Get(':id')
  @UseInterceptors(TaskTag)
  @Requires({ of: 'task', role: 'viewer' })
  get(@Param('id') id: string): Promise<TaskResource> {
    return this.orders.get(id);
  }

  @Delete(':id')
  @Requires({ of: 'task', role: 'admin' })
  @Audits({ kind: 'task', action: 'delete' })
  @HttpCode(204)
  remove(@Param('id') id: string, @ConditionalCaller() by: ConditionalOrigin): Promise<void> {
    return this.orders.remove(id, by);
  }
}

/** WAL that the source has freed is on the bus alone: one lost server must not be enough to lose it (I1). */
function requireReplicas({ incremental }: CreateTaskRequest, replicas: number): void {
  if (incremental.confirm !== 'stored' || replicas >= STORED_REPLICAS_MIN) return;
  const detail = `streams of this deployment have ${replicas} replicas, confirm "stored" needs ${STORED_REPLICAS_MIN}`;
  throw new SluiceError('SLUICE-4007', { detail });
}
