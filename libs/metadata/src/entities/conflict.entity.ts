import { type Conflict, type ConflictAction, type ConflictKind, type RowImage } from '@sluice/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'conflicts' })
export class ConflictEntity {
  /** Made where the conflict was met: the same one is kept once. */
  @PrimaryColumn({ name: 'conflict_id', type: 'uuid' })
  conflictId!: string;

  @Column({ type: 'bigint', insert: false, update: false })
  position!: string;

  @Column({ name: 'task_id', type: 'uuid' })
  taskId!: string;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ name: 'commit_lsn', type: 'text' })
  commitLsn!: string;

  @Column({ name: 'change_number', type: 'bigint' })
  changeNumber!: string;

  @Column({ name: 'schema_name', type: 'text' })
  schemaName!: string;

  @Column({ name: 'table_name', type: 'text' })
  tableName!: string;

  @Column({ type: 'text' })
  operation!: Conflict['operation'];

  @Column({ type: 'text' })
  kind!: ConflictKind;

  @Column({ name: 'constraint_name', type: 'text', nullable: true })
  constraintName!: string | null;

  @Column({ type: 'text' })
  action!: ConflictAction;

  @Column({ type: 'json' })
  key!: RowImage;

  /** Read only when it is asked for: rows can be long. */
  @Column({ name: 'source_row', type: 'json', nullable: true, select: false })
  sourceRow?: RowImage | null;

  /** As `sourceRow`. */
  @Column({ name: 'target_rows', type: 'json', select: false })
  targetRows?: RowImage[];
}
