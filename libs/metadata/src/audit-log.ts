import { type TaskId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { AuditEventEntity } from './entities/audit-event.entity.js';
import { type Origin } from './stored-task.js';

export interface AuditEntry {
  readonly origin: Origin;
  readonly action: string;
  readonly taskId: TaskId | null;
  readonly taskName: string | null;
  /** `done`, or the code of the error that refused it. */
  readonly outcome: string;
}

/** Who ordered what, append-only. A change and its entry are written in one transaction. */
export class AuditLog {
  constructor(private readonly manager: EntityManager) {}

  async record({ origin, ...entry }: AuditEntry, manager = this.manager): Promise<void> {
    const { actor, address, traceId } = origin;
    await manager.insert(AuditEventEntity, { ...entry, actor, address, traceId, at: new Date() });
  }

  /** Newest first. */
  async list(
    taskId: TaskId,
    limit = 100,
  ): Promise<readonly (Omit<AuditEntry, 'origin'> & { readonly actor: string })[]> {
    const rows = await this.manager.find(AuditEventEntity, { where: { taskId }, order: { id: 'DESC' }, take: limit });
    return rows.map(({ actor, action, taskId: id, taskName, outcome }) => ({
      actor,
      action,
      taskId: id,
      taskName,
      outcome,
    }));
  }
}
