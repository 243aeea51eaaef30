import { type Role } from '@sluice/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a key that is not deployment-wide may do in a project; the row goes with either of them. */
@Entity({ name: 'api_key_roles' })
export class ApiKeyRoleEntity {
  @PrimaryColumn({ name: 'key_id', type: 'uuid' })
  keyId!: string;

  @PrimaryColumn({ name: 'project_id', type: 'uuid' })
  projectId!: string;

  @Column({ type: 'text' })
  role!: Role;
}
