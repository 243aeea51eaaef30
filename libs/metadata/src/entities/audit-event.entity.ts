import { type AuditedKind, type AuditEvent } from '@sluice/contracts';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE. It outlives what it tells of, so no foreign keys. */
@Entity({ name: 'audit_events' })
export class AuditEventEntity {
  /** Order of writing; the list pages by it. */
  @PrimaryGeneratedColumn('identity', { name: 'id', type: 'bigint', generatedIdentity: 'ALWAYS' })
  position!: string;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text' })
  actor!: string;

  @Column({ name: 'key_id', type: 'uuid', nullable: true })
  keyId!: string | null;

  @Column({ type: 'text', nullable: true })
  role!: AuditEvent['role'];

  @Column({ type: 'text' })
  action!: string;

  @Column({ name: 'project_id', type: 'uuid', nullable: true })
  projectId!: string | null;

  @Column({ name: 'object_kind', type: 'text' })
  objectKind!: AuditedKind;

  @Column({ name: 'object_id', type: 'uuid', nullable: true })
  objectId!: string | null;

  @Column({ name: 'object_name', type: 'text', nullable: true })
  objectName!: string | null;

  /** `done`, or the code of the error that refused it. */
  @Column({ type: 'text' })
  outcome!: string;

  @Column({ type: 'jsonb', nullable: true })
  before!: object | null;

  @Column({ type: 'jsonb', nullable: true })
  after!: object | null;

  @Column({ type: 'text', nullable: true })
  address!: string | null;

  @Column({ name: 'trace_id', type: 'text', nullable: true })
  traceId!: string | null;
}
