import { type StageRun } from '@sluice/contracts';
import { type TaskStage } from '@sluice/model';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A run that was given out; open until `endedAt` is set. */
@Entity({ name: 'task_runs' })
export class TaskRunEntity {
  @PrimaryColumn({ name: 'run_id', type: 'uuid' })
  runId!: string;

  @Column({ name: 'task_id', type: 'uuid' })
  taskId!: string;

  @Column({ type: 'text' })
  stage!: TaskStage;

  @Column({ type: 'integer' })
  epoch!: number;

  @Column({ name: 'is_recovering', type: 'boolean' })
  isRecovering!: boolean;

  @Column({ name: 'last_sign_at', type: 'text', nullable: true })
  lastSignAt!: string | null;

  /** The work item as it was published, so that it can be published again. */
  @Column({ type: 'jsonb' })
  message!: StageRun;

  /** Trace context of the call or event that gave the run out. */
  @Column({ type: 'jsonb' })
  trace!: Record<string, string>;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt!: Date | null;
}
