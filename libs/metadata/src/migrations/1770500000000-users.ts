import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Which roles a task synchronizes. Tasks from before have none. */
export class Users1770500000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const before = { roles: [], passwords: true, privileges: true };
    await queryRunner.query(`ALTER TABLE tasks ADD users jsonb NOT NULL DEFAULT '${JSON.stringify(before)}'`);
    await queryRunner.query(`ALTER TABLE tasks ALTER users DROP DEFAULT`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE tasks DROP users`);
  }
}
