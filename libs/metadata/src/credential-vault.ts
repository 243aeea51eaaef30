import { EndpointInput, type TaskId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { z } from 'zod';
import { TaskCredentialsEntity } from './entities/task-credentials.entity.js';
import { type Sealer } from './sealed-box.js';
import { type TaskEndpoints } from './stored-task.js';

const Endpoints = z.object({ source: EndpointInput, target: EndpointInput });

/** The endpoints of tasks, sealed at rest: host, user, password and certificates. They go with the row of the task. */
export class CredentialVault {
  constructor(
    private readonly manager: EntityManager,
    private readonly sealer: Sealer,
  ) {}

  async store(taskId: TaskId, endpoints: TaskEndpoints, manager = this.manager): Promise<void> {
    const box = this.sealer.seal(JSON.stringify(endpoints), contextOf(taskId));
    await manager.insert(TaskCredentialsEntity, { taskId, ...box });
  }

  /** `null` when there is no such task. */
  async lookup(taskId: TaskId, manager = this.manager): Promise<TaskEndpoints | null> {
    const row = await manager.findOneBy(TaskCredentialsEntity, { taskId });
    return row && this.open(row);
  }

  open(row: TaskCredentialsEntity): TaskEndpoints {
    return Endpoints.parse(JSON.parse(this.sealer.open(row, contextOf(row.taskId))));
  }
}

function contextOf(taskId: TaskId): string {
  return `task ${taskId}`;
}
