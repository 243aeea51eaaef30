import { type ProjectId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { AuditEventEntity } from './entities/audit-event.entity.js';
import { type Origin } from './stored-task.js';

export interface AuditedObject {
  readonly kind: 'task' | 'project' | 'api-key';
  /** `null` for one that was not made. */
  readonly id: string | null;
  readonly name: string | null;
}

export interface AuditEntry {
  readonly origin: Origin;
  readonly action: string;
  readonly projectId: ProjectId | null;
  readonly object: AuditedObject;
  /** `done`, or the code of the error that refused it. */
  readonly outcome: string;
}

/** Who ordered what, append-only. A change and its entry are written in one transaction. */
export class AuditLog {
  constructor(private readonly manager: EntityManager) {}

  async record({ origin, object, ...entry }: AuditEntry, manager = this.manager): Promise<void> {
    const { actor, address, traceId } = origin;
    const { kind: objectKind, id: objectId, name: objectName } = object;
    const at = new Date();
    await manager.insert(AuditEventEntity, {
      ...entry,
      actor,
      address,
      traceId,
      objectKind,
      objectId,
      objectName,
      at,
    });
  }

  /** Newest first. */
  async list(
    objectId: string,
    limit = 100,
  ): Promise<readonly (Pick<AuditEntry, 'action' | 'outcome' | 'object'> & { readonly actor: string })[]> {
    const rows = await this.manager.find(AuditEventEntity, { where: { objectId }, order: { id: 'DESC' }, take: limit });
    return rows.map(({ actor, action, objectKind: kind, objectId: id, objectName: name, outcome }) => ({
      actor,
      action,
      object: { kind, id, name },
      outcome,
    }));
  }
}
