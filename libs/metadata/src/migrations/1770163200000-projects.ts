import { randomUUID } from 'node:crypto';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Tasks, their alarms and their audit belong to a project; those from before to `default`. A column default fills rows
 * without an UPDATE, which the trigger of `audit_events` would refuse. Alarms and audit outlive tasks and projects, so
 * that they have no foreign key.
 */
const STATEMENTS = (defaultProject: string): readonly string[] => [
  `CREATE TABLE projects (
     id uuid PRIMARY KEY,
     position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
     name text NOT NULL,
     is_default boolean NOT NULL,
     created_at timestamptz NOT NULL,
     updated_at timestamptz NOT NULL
   )`,
  `CREATE UNIQUE INDEX projects_name ON projects (lower(name))`,
  `CREATE UNIQUE INDEX projects_default ON projects (is_default) WHERE is_default`,
  `INSERT INTO projects (id, name, is_default, created_at, updated_at)
     VALUES ('${defaultProject}', 'default', true, now(), now())`,
  `ALTER TABLE tasks ADD project_id uuid NOT NULL DEFAULT '${defaultProject}' REFERENCES projects`,
  `ALTER TABLE tasks ALTER project_id DROP DEFAULT`,
  `DROP INDEX tasks_name`,
  `CREATE UNIQUE INDEX tasks_name ON tasks (project_id, lower(name))`,
  `ALTER TABLE alarms ADD project_id uuid DEFAULT '${defaultProject}'`,
  `ALTER TABLE alarms ALTER project_id DROP DEFAULT`,
  `CREATE INDEX alarms_project ON alarms (project_id, position)`,
  `ALTER TABLE audit_events ADD project_id uuid DEFAULT '${defaultProject}'`,
  `ALTER TABLE audit_events ALTER project_id DROP DEFAULT`,
  `ALTER TABLE audit_events ADD object_kind text NOT NULL DEFAULT 'task'`,
  `ALTER TABLE audit_events ALTER object_kind DROP DEFAULT`,
  `ALTER TABLE audit_events RENAME task_id TO object_id`,
  `ALTER TABLE audit_events RENAME task_name TO object_name`,
  `ALTER TABLE idempotency_keys ALTER task_id DROP NOT NULL, ADD project_id uuid REFERENCES projects ON DELETE CASCADE`,
  // A key's name can be given twice, its id cannot.
  `UPDATE idempotency_keys i SET actor = COALESCE(
     (SELECT k.id::text FROM api_keys k WHERE k.name = i.actor ORDER BY k.created_at LIMIT 1), i.actor)`,
];

export class Projects1770163200000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS(randomUUID())) await queryRunner.query(statement);
  }

  /** Works as long as no two projects have tasks of one name. */
  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [
      `DELETE FROM idempotency_keys WHERE task_id IS NULL`,
      `ALTER TABLE idempotency_keys ALTER task_id SET NOT NULL, DROP project_id`,
      `ALTER TABLE audit_events DROP project_id, DROP object_kind`,
      `ALTER TABLE audit_events RENAME object_id TO task_id`,
      `ALTER TABLE audit_events RENAME object_name TO task_name`,
      `ALTER TABLE alarms DROP project_id`,
      `ALTER TABLE tasks DROP project_id`,
      `CREATE UNIQUE INDEX tasks_name ON tasks (lower(name))`,
      `DROP TABLE projects`,
    ])
      await queryRunner.query(statement);
  }
}
