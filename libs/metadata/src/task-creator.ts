import { SluiceError, type TaskId } from '@sluice/contracts';
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { type DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { type AuditLog } from './audit-log.js';
import { type CredentialVault } from './credential-vault.js';
import { enqueue } from './decision-writer.js';
import { IdempotencyKeyEntity } from './entities/idempotency-key.entity.js';
import { TaskEntity } from './entities/task.entity.js';
import { toNewEntity } from './mappers/task.mapper.js';
import { type Sealer } from './sealed-box.js';
import { type NewTask, type Origin } from './stored-task.js';

export interface CreateOptions {
  readonly origin: Origin;
  readonly idempotencyKey?: string | undefined;
}

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
    private readonly tools: { readonly audit: AuditLog; readonly sealer: Sealer },
  ) {}

  /** @throws SluiceError 6004 when the name is taken, 6001 when the key was used for another request. */
  async create(task: NewTask, options: CreateOptions): Promise<Created> {
    const { idempotencyKey: key, origin } = options;
    const requestMac = this.tools.sealer.mac(JSON.stringify(task));
    return this.dataSource.transaction(async (manager) => {
      if (key !== undefined) {
        // Two requests with one key at once: the second waits here and then finds what the first made.
        await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${origin.actor}\n${key}`]);
        const earlier = await manager.findOneBy(IdempotencyKeyEntity, { actor: origin.actor, key });
        if (earlier) return replay(earlier, requestMac);
      }
      const taskId = await this.#insert(manager, task, origin);
      if (key !== undefined) {
        await manager.insert(IdempotencyKeyEntity, { actor: origin.actor, key, requestMac, taskId });
      }
      return { taskId, isReplay: false };
    });
  }

  async #insert(manager: EntityManager, task: NewTask, origin: Origin): Promise<TaskId> {
    const at = new Date();
    const id = randomUUID();
    try {
      await manager.insert(TaskEntity, toNewEntity(task, { id, at }));
    } catch (error) {
      if (isUniqueViolation(error)) {
        throw new SluiceError('SLUICE-6004', { detail: `a task named ${task.name} exists already`, cause: error });
      }
      throw error;
    }
    await this.vault.store(id, task.endpoints, manager);
    const event = { version: 1, eventId: randomUUID(), taskId: id, taskName: task.name, from: null } as const;
    await enqueue(manager, id, {
      messages: [{ kind: 'task-event', event: { ...event, to: 'configuring', error: null, at: at.toISOString() } }],
      trace: origin.trace,
    });
    await this.tools.audit.record(
      { origin, action: 'create', taskId: id, taskName: task.name, outcome: 'done' },
      manager,
    );
    return id;
  }
}

function replay(earlier: IdempotencyKeyEntity, requestMac: Buffer): Created {
  if (!timingSafeEqual(earlier.requestMac, requestMac)) {
    throw new SluiceError('SLUICE-6001', { detail: 'this Idempotency-Key was used for another request' });
  }
  return { taskId: earlier.taskId, isReplay: true };
}

/** SQLSTATE 23505, unique_violation. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof QueryFailedError && 'code' in error && error.code === '23505';
}
