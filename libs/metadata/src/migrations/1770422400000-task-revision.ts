import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Counts the changes of a task, so that an order can say which one it was decided on. */
export class TaskRevision1770422400000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks ADD revision integer NOT NULL DEFAULT 1`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks DROP revision`);
  }
}
