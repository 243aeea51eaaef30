import { SluiceError, type TaskId } from '@sluice/contracts';
import { randomUUID } from 'node:crypto';
import { type DataSource, type EntityManager } from 'typeorm';
import { type AuditLog } from './audit-log.js';
import { type CredentialVault } from './credential-vault.js';
import { enqueue } from './decision-writer.js';
import { TaskEntity } from './entities/task.entity.js';
import { type CreateOptions, type IdempotentCreation } from './idempotent-creation.js';
import { toNewEntity } from './mappers/task.mapper.js';
import { isForeignKeyViolation, isUniqueViolation } from './query-failure.js';
import { type NewTask, type Origin } from './stored-task.js';

export interface Created {
  readonly taskId: TaskId;
  /** The same request with the same key had made it already. */
  readonly isReplay: boolean;
}

/** Makes tasks: the row, its sealed credentials, the first event and the audit entry in one transaction. */
export class TaskCreator {
  constructor(
    private readonly dataSource: DataSource,
    private readonly vault: CredentialVault,
    private readonly tools: { readonly audit: AuditLog; readonly idempotency: IdempotentCreation },
  ) {}

  /** @throws SluiceError 6004 when the name is taken, 6002 without the project, 6001 when the key was used for another request. */
  async create(task: NewTask, options: CreateOptions): Promise<Created> {
    return this.dataSource.transaction(async (manager) => {
      const creation = { ...options, kind: 'task', request: task } as const;
      const make = (): Promise<TaskId> => this.#insert(manager, task, options.origin);
      const { id, isReplay } = await this.tools.idempotency.once(manager, creation, make);
      return { taskId: id, isReplay };
    });
  }

  async #insert(manager: EntityManager, task: NewTask, origin: Origin): Promise<TaskId> {
    const at = new Date();
    const id = randomUUID();
    try {
      await manager.insert(TaskEntity, toNewEntity(task, { id, at }));
    } catch (error) {
      if (isUniqueViolation(error)) {
        const detail = `a task named ${task.name} exists already in this project`;
        throw new SluiceError('SLUICE-6004', { detail, cause: error });
      }
      if (isForeignKeyViolation(error)) {
        throw new SluiceError('SLUICE-6002', { detail: `project ${task.projectId}`, cause: error });
      }
      throw error;
    }
    await this.vault.store(id, task.endpoints, manager);
    const { endpoints: _sealed, projectId: _id, name: _name, ...options } = task;
    const event = { version: 1, eventId: randomUUID(), taskId: id, taskName: task.name, from: null } as const;
    await enqueue(manager, id, {
      messages: [{ kind: 'task-event', event: { ...event, to: 'configuring', error: null, at: at.toISOString() } }],
      trace: origin.trace,
    });
    await this.tools.audit.record(
      {
        origin,
        action: 'create',
        projectId: task.projectId,
        object: { kind: 'task', id, name: task.name },
        outcome: 'done',
        after: { ...options, state: 'configuring' },
      },
      manager,
    );
    return id;
  }
}
