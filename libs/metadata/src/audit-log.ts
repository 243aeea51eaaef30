import { type AuditedKind, type AuditEvent, type ProjectId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { AuditEventEntity } from './entities/audit-event.entity.js';
import { type InProjects, keepProjects, type Page, readPage } from './page.js';
import { type Origin } from './stored-task.js';

export interface AuditEntry {
  readonly origin: Origin;
  readonly action: string;
  readonly projectId: ProjectId | null;
  readonly object: AuditEvent['object'];
  /** `done`, or the code of the error that refused it. */
  readonly outcome: string;
  /** Without secrets. */
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

export interface AuditEventQuery {
  /** An event of no project is among `all` only. */
  readonly projects: InProjects;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly objectKind?: AuditedKind | undefined;
  readonly objectId?: string | undefined;
  /** At or after it, ISO 8601. */
  readonly from?: string | undefined;
  /** Before it. */
  readonly to?: string | undefined;
}

/** Who ordered what, append-only. A change and its entry are written in one transaction. */
export class AuditLog {
  constructor(private readonly manager: EntityManager) {}

  async record(
    { origin, object, before, after, action, projectId, outcome }: AuditEntry,
    manager = this.manager,
  ): Promise<void> {
    const { actor, keyId, role, address, traceId } = origin;
    await manager.insert(AuditEventEntity, {
      at: new Date(),
      actor,
      keyId,
      role,
      action,
      projectId,
      objectKind: object.kind,
      objectId: object.id,
      objectName: object.name,
      outcome,
      before: before ?? null,
      after: after ?? null,
      address,
      traceId,
    });
  }

  /** Newest first. */
  async list(query: AuditEventQuery): Promise<Page<AuditEvent>> {
    const { projects, actor, action, objectKind, objectId, from, to, ...page } = query;
    const builder = this.manager.createQueryBuilder(AuditEventEntity, 'event');
    keepProjects(builder, 'event.projectId', projects);
    const equal = { actor, action, objectKind, objectId };
    for (const [column, value] of Object.entries(equal))
      if (value !== undefined) builder.andWhere(`event.${column} = :${column}`, { [column]: value });
    if (from !== undefined) builder.andWhere('event.at >= :from', { from });
    if (to !== undefined) builder.andWhere('event.at < :to', { to });
    const { items, nextCursor } = await readPage(builder, page);
    return { items: items.map(toEvent), nextCursor };
  }
}

function toEvent(row: AuditEventEntity): AuditEvent {
  const { position, at, objectKind, objectId, objectName, before, after, ...event } = row;
  const object = { kind: objectKind, id: objectId, name: objectName };
  const change = { before: before && { ...before }, after: after && { ...after } };
  return { id: position, at: at.toISOString(), ...event, object, ...change };
}
