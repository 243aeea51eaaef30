import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Keys from before keep what they could do: everything. A key's roles go with the key and with the project. */
const STATEMENTS = [
  `ALTER TABLE api_keys
     ADD position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
     ADD is_deployment_wide boolean NOT NULL DEFAULT true,
     ADD expires_at timestamptz,
     ADD last_used_at timestamptz`,
  `ALTER TABLE api_keys ALTER is_deployment_wide DROP DEFAULT`,
  `CREATE TABLE api_key_roles (
     key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
     project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
     role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
     PRIMARY KEY (key_id, project_id)
   )`,
  `CREATE INDEX api_key_roles_project ON api_key_roles (project_id)`,
  `ALTER TABLE idempotency_keys ADD api_key_id uuid REFERENCES api_keys ON DELETE CASCADE`,
];

export class ApiKeyScopes1770249600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  /** Keys of projects are removed: without their scope they could do everything. */
  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [
      `DELETE FROM idempotency_keys WHERE api_key_id IS NOT NULL`,
      `ALTER TABLE idempotency_keys DROP api_key_id`,
      `DELETE FROM api_keys WHERE NOT is_deployment_wide`,
      `DROP TABLE api_key_roles`,
      `ALTER TABLE api_keys DROP position, DROP is_deployment_wide, DROP expires_at, DROP last_used_at`,
    ])
      await queryRunner.query(statement);
  }
}
