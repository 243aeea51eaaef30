import { type AlarmKind, type ErrorReport } from '@sluice/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Outlives its task, so no foreign key. */
@Entity({ name: 'alarms' })
export class AlarmEntity {
  /** Of the task event that raised it: the same event raises no second alarm. */
  @PrimaryColumn({ name: 'event_id', type: 'uuid' })
  eventId!: string;

  @Column({ type: 'bigint', insert: false, update: false })
  position!: string;

  @Column({ name: 'task_id', type: 'uuid' })
  taskId!: string;

  /** `null` when the task was gone before its alarm came. */
  @Column({ name: 'project_id', type: 'uuid', nullable: true })
  projectId!: string | null;

  @Column({ name: 'task_name', type: 'text' })
  taskName!: string;

  @Column({ type: 'text' })
  kind!: AlarmKind;

  @Column({ type: 'text' })
  state!: string;

  @Column({ type: 'jsonb', nullable: true })
  error!: ErrorReport | null;

  @Column({ type: 'timestamptz' })
  at!: Date;
}
