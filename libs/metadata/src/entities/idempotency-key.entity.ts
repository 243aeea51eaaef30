import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a create with this `Idempotency-Key` made; the row goes with that object. */
@Entity({ name: 'idempotency_keys' })
export class IdempotencyKeyEntity {
  /** Id of the API key. */
  @PrimaryColumn({ type: 'text' })
  actor!: string;

  @PrimaryColumn({ type: 'text' })
  key!: string;

  /** HMAC of the request under the master key: the request holds passwords, so a plain hash could be guessed at. */
  @Column({ name: 'request_mac', type: 'bytea' })
  requestMac!: Buffer;

  @Column({ name: 'task_id', type: 'uuid', nullable: true })
  taskId!: string | null;

  @Column({ name: 'project_id', type: 'uuid', nullable: true })
  projectId!: string | null;

  @Column({ name: 'api_key_id', type: 'uuid', nullable: true })
  apiKeyId!: string | null;
}
