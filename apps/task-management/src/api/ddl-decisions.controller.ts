import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { DdlDecision, type TaskResource } from '@sluice/contracts';
import { type Origin } from '@sluice/metadata';
import { Caller } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { TaskOrders } from '../task-orders.js';

/** What a person decides about a DDL that stopped a task; `retry` carries it out. */
@Controller('api/v1/tasks/:id/ddl-decisions')
export class DdlDecisionsController {
  constructor(private readonly orders: TaskOrders) {}

  @Post()
  @Requires({ of: 'task', role: 'operator' })
  @HttpCode(200)
  decide(@Param('id') id: string, @Body() body: unknown, @Caller() origin: Origin): Promise<TaskResource> {
    return this.orders.decideDdl(id, DdlDecision.parse(body), origin);
  }
}
