import { z } from 'zod';
import { ProjectId } from '../primitives.js';
import { Role } from './api-key.js';
import { PageQuery, pageOf } from './page.js';

export const AuditedKind = z.enum(['task', 'project', 'api-key']);
export type AuditedKind = z.infer<typeof AuditedKind>;

/** Query of `GET /audit-events`; every filter narrows. */
export const AuditQuery = PageQuery.extend({
  projectId: ProjectId.optional(),
  actor: z.string().max(100).optional(),
  action: z.string().max(100).optional(),
  objectKind: AuditedKind.optional(),
  objectId: z.uuid().optional(),
  /** At or after it. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** Before it. */
  to: z.iso.datetime({ offset: true }).optional(),
});

/** A call that changed something, or that was refused. */
export const AuditEvent = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  /** Name of the API key. */
  actor: z.string(),
  keyId: z.uuid().nullable(),
  /** With which the key acted; null where it had none. */
  role: z.enum([...Role.options, 'deployment']).nullable(),
  action: z.string(),
  projectId: ProjectId.nullable(),
  /** Of one that was not made there is no id. */
  object: z.object({ kind: AuditedKind, id: z.uuid().nullable(), name: z.string().nullable() }),
  /** `done`, or the code of the error that refused it. */
  outcome: z.string(),
  /** What the change was about, without secrets; null when nothing was there before, or is afterwards. */
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
  address: z.string().nullable(),
  traceId: z.string().nullable(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

export const AuditEventList = pageOf(AuditEvent);
export type AuditEventList = z.infer<typeof AuditEventList>;
