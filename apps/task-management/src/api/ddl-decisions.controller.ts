import { Body, Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { DdlDecision, type TaskResource } from '@sluice/contracts';
import { type Origin } from '@sluice/metadata';
import { TaskOrders } from '../task-orders.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { Caller } from './caller.js';
import { parseId } from './parse-id.js';

/** What a person decides about a DDL that stopped a task; `retry` carries it out. */
@Controller('api/v1/tasks/:id/ddl-decisions')
@UseGuards(ApiKeyGuard)
export class DdlDecisionsController {
  constructor(private readonly orders: TaskOrders) {}

  @Post()
  @HttpCode(200)
  decide(@Param('id') id: string, @Body() body: unknown, @Caller() origin: Origin): Promise<TaskResource> {
    return this.orders.decideDdl(parseId(id, 'task'), DdlDecision.parse(body), origin);
  }
}
