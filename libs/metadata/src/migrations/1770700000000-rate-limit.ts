import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** How fast the load of a task may be; those of before are not limited. */
export class RateLimit1770700000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks ADD rate_limit jsonb NOT NULL DEFAULT '{"mode":"off"}'`);
    await queryRunner.query(`ALTER TABLE tasks ALTER rate_limit DROP DEFAULT`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks DROP rate_limit`);
  }
}
