import { Body, Controller, HttpCode, Param, Post, UseInterceptors } from '@nestjs/common';
import { DdlDecision, type TaskResource } from '@sluice/contracts';
import { Audits } from '../access/audits.js';
import { Requires } from '../access/requires.js';
import { z } from 'zod';
import { TaskOrders } from '../task-orders.js';
import { ConditionalCaller, type ConditionalOrigin, TaskTag } from './conditional.js';

const Decided = z.looseObject({ decision: z.enum(['skip', 'replace']) });

/** What a person decides about a DDL that stopped a task; `retry` carries it out. */
@Controller('api/v1/tasks/:id/ddl-decisions')
export class DdlDecisionsController {
  constructor(private readonly orders: TaskOrders) {}

  @Post()
  @UseInterceptors(TaskTag)
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: ({ body }) => `decide DDL: ${Decided.safeParse(body).data?.decision ?? '?'}` })
  @HttpCode(200)
  decide(
    @Param('id') id: string,
    @Body() body: unknown,
    @ConditionalCaller() by: ConditionalOrigin,
  ): Promise<TaskResource> {
    return this.orders.decideDdl(id, DdlDecision.parse(body), by);
  }
}
