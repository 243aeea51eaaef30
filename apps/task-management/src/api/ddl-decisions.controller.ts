import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { DdlDecision, type TaskResource } from '@sluice/contracts';
import { type Origin } from '@sluice/metadata';
import { Audits } from '../access/audits.js';
import { Caller } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { z } from 'zod';
import { TaskOrders } from '../task-orders.js';

const Decided = z.looseObject({ decision: z.enum(['skip', 'replace']) });

/** What a person decides about a DDL that stopped a task; `retry` carries it out. */
@Controller('api/v1/tasks/:id/ddl-decisions')
export class DdlDecisionsController {
  constructor(private readonly orders: TaskOrders) {}

  @Post()
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: ({ body }) => `decide DDL: ${Decided.safeParse(body).data?.decision ?? '?'}` })
  @HttpCode(200)
  decide(@Param('id') id: string, @Body() body: unknown, @Caller() origin: Origin): Promise<TaskResource> {
    return this.orders.decideDdl(id, DdlDecision.parse(body), origin);
  }
}
