import {
  type ConnectionTestResult,
  type DdlDecision,
  type DesiredState,
  type ErrorReport,
  type IncrementalOptions,
  type ObjectSelection,
  type RateLimit,
  type PrecheckResult,
  type SyncType,
  type UserOptions,
} from '@sluice/contracts';
import { type TaskState } from '@sluice/model';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'tasks' })
export class TaskEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** Order of creation; the list pages by it. */
  @Column({ name: 'position', type: 'bigint', insert: false, update: false })
  position!: string;

  @Column({ name: 'project_id', type: 'uuid', update: false })
  projectId!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  description!: string;

  @Column({ name: 'sync_type', type: 'text' })
  syncType!: SyncType;

  @Column({ type: 'jsonb' })
  incremental!: IncrementalOptions;

  @Column({ type: 'jsonb' })
  users!: UserOptions;

  @Column({ type: 'jsonb' })
  objects!: ObjectSelection;

  @Column({ name: 'rate_limit', type: 'jsonb' })
  rateLimit!: RateLimit;

  @Column({ name: 'ddl_decisions', type: 'jsonb' })
  ddlDecisions!: DdlDecision[];

  @Column({ type: 'text' })
  state!: TaskState;

  @Column({ type: 'integer' })
  epoch!: number;

  /** How often the row was changed. */
  @Column({ type: 'integer' })
  revision!: number;

  @Column({ name: 'is_load_started', type: 'boolean' })
  isLoadStarted!: boolean;

  @Column({ name: 'is_load_finished', type: 'boolean' })
  isLoadFinished!: boolean;

  @Column({ name: 'is_draining', type: 'boolean' })
  isDraining!: boolean;

  @Column({ name: 'until_lsn', type: 'text', nullable: true })
  untilLsn!: string | null;

  @Column({ type: 'jsonb', nullable: true })
  error!: ErrorReport | null;

  @Column({ name: 'connection_test', type: 'jsonb', nullable: true })
  connectionTest!: ConnectionTestResult | null;

  @Column({ type: 'jsonb', nullable: true })
  precheck!: PrecheckResult | null;

  /** What was put last into the desired-state bucket, so that it can be put again after the bus was wiped. */
  @Column({ type: 'jsonb', nullable: true })
  desired!: DesiredState | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
