import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Which objects of the source a task has; those of before have everything. */
export class ObjectSelection1770600000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks ADD objects jsonb NOT NULL DEFAULT '{"level":"database"}'`);
    await queryRunner.query(`ALTER TABLE tasks ALTER objects DROP DEFAULT`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks DROP objects`);
  }
}
