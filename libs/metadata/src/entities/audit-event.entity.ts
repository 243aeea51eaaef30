import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { type AuditedObject } from '../audit-log.js';

/** Append-only: a trigger refuses UPDATE and DELETE. */
@Entity({ name: 'audit_events' })
export class AuditEventEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text' })
  actor!: string;

  @Column({ type: 'text' })
  action!: string;

  @Column({ name: 'project_id', type: 'uuid', nullable: true })
  projectId!: string | null;

  @Column({ name: 'object_kind', type: 'text' })
  objectKind!: AuditedObject['kind'];

  @Column({ name: 'object_id', type: 'uuid', nullable: true })
  objectId!: string | null;

  @Column({ name: 'object_name', type: 'text', nullable: true })
  objectName!: string | null;

  /** `done`, or the code of the error that refused it. */
  @Column({ type: 'text' })
  outcome!: string;

  @Column({ type: 'text', nullable: true })
  address!: string | null;

  @Column({ name: 'trace_id', type: 'text', nullable: true })
  traceId!: string | null;
}
