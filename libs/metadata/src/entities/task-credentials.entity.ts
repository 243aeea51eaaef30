import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Both endpoints of a task, sealed; the row goes with the task. */
@Entity({ name: 'task_credentials' })
export class TaskCredentialsEntity {
  @PrimaryColumn({ name: 'task_id', type: 'uuid' })
  taskId!: string;

  /** Which master key wraps the data key. */
  @Column({ name: 'key_id', type: 'text' })
  keyId!: string;

  @Column({ name: 'wrapped_key', type: 'bytea' })
  wrappedKey!: Buffer;

  @Column({ type: 'bytea' })
  sealed!: Buffer;
}
