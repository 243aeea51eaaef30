import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { type OutboxMessage } from '../outbox-message.js';

/** No foreign key to the task: the message that a task was deleted outlives it. */
@Entity({ name: 'outbox' })
export class OutboxMessageEntity {
  /** Rises in the order of the decisions of one task, as the row of the task is locked while it is written. */
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  id!: string;

  @Column({ name: 'task_id', type: 'uuid' })
  taskId!: string;

  @Column({ type: 'jsonb' })
  message!: OutboxMessage;

  @Column({ type: 'jsonb' })
  trace!: Record<string, string>;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'sent_at', type: 'timestamptz', nullable: true })
  sentAt!: Date | null;
}
