import { Body, Controller, Param, Put, UseInterceptors } from '@nestjs/common';
import { RateLimit, type TaskResource } from '@sluice/contracts';
import { Audits } from '../access/audits.js';
import { Requires } from '../access/requires.js';
import { TaskOrders } from '../task-orders.js';
import { ConditionalCaller, type ConditionalOrigin, TaskTag } from './conditional.js';

/** How fast the full load of a task may be; takes effect while it runs. */
@Controller('api/v1/tasks/:id/rate-limit')
export class RateLimitController {
  constructor(private readonly orders: TaskOrders) {}

  @Put()
  @UseInterceptors(TaskTag)
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: 'set rate limit' })
  set(
    @Param('id') id: string,
    @Body() body: unknown,
    @ConditionalCaller() by: ConditionalOrigin,
  ): Promise<TaskResource> {
    return this.orders.setRateLimit(id, RateLimit.parse(body), by);
  }
}
