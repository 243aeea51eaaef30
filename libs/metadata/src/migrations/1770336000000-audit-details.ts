import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** With which key and role, and what was before and after; of calls from before this it is not known. */
const STATEMENTS = [
  `ALTER TABLE audit_events ADD key_id uuid, ADD role text, ADD before jsonb, ADD after jsonb`,
  `CREATE INDEX audit_events_project ON audit_events (project_id, id)`,
  `CREATE INDEX audit_events_object ON audit_events (object_id, id)`,
  `CREATE INDEX audit_events_actor ON audit_events (actor, id)`,
  `CREATE INDEX audit_events_at ON audit_events (at)`,
];

export class AuditDetails1770336000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `DROP INDEX audit_events_project, audit_events_object, audit_events_actor, audit_events_at`,
    );
    await queryRunner.query(`ALTER TABLE audit_events DROP key_id, DROP role, DROP before, DROP after`);
  }
}
