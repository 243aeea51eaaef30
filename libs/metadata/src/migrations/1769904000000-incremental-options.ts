import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** How a task synchronizes after its load, and what was decided about DDL. Tasks from before keep what was in force for all. */
export class IncrementalOptions1769904000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const before = {
      conflictPolicy: 'error',
      ddl: { enabled: false, policies: {} },
      confirm: 'applied',
      sequenceIntervalMs: 10_000,
    };
    await queryRunner.query(
      `ALTER TABLE tasks ADD incremental jsonb NOT NULL DEFAULT '${JSON.stringify(before)}',
         ADD ddl_decisions jsonb NOT NULL DEFAULT '[]'`,
    );
    await queryRunner.query(`ALTER TABLE tasks ALTER incremental DROP DEFAULT`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks DROP incremental, DROP ddl_decisions`);
  }
}
