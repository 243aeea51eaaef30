import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'api_keys' })
export class ApiKeyEntity {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** Order of creation; the list pages by it. */
  @Column({ type: 'bigint', insert: false, update: false })
  position!: string;

  @Column({ type: 'text' })
  name!: string;

  /** SHA-256; a key is 256 random bits, so that a slow hash would protect nothing more. */
  @Column({ name: 'key_hash', type: 'bytea' })
  keyHash!: Buffer;

  /** May do everything; what others may do stands in `api_key_roles`. */
  @Column({ name: 'is_deployment_wide', type: 'boolean' })
  isDeploymentWide!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt!: Date | null;

  /** At most a minute old. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt!: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt!: Date | null;
}
