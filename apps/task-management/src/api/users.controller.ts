import { Body, Controller, Param, Put, UseInterceptors } from '@nestjs/common';
import { type TaskResource, UserOptions } from '@sluice/contracts';
import { Audits } from '../access/audits.js';
import { Requires } from '../access/requires.js';
import { TaskOrders } from '../task-orders.js';
import { ConditionalCaller, type ConditionalOrigin, TaskTag } from './conditional.js';

/** Which roles a task brings along; it can be chosen until the task starts, as the roles can only be listed of a task. */
@Controller('api/v1/tasks/:id/users')
export class UsersController {
  constructor(private readonly orders: TaskOrders) {}

  @Put()
  @UseInterceptors(TaskTag)
  @Requires({ of: 'task', role: 'operator' })
  @Audits({ kind: 'task', action: 'choose users' })
  choose(
    @Param('id') id: string,
    @Body() body: unknown,
    @ConditionalCaller() by: ConditionalOrigin,
  ): Promise<TaskResource> {
    return this.orders.chooseUsers(id, UserOptions.parse(body), by);
  }
}
