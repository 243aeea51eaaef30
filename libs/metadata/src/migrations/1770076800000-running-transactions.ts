import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** How many connections write to the target. Tasks from before keep what was in force for all. */
export class RunningTransactions1770076800000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`UPDATE tasks SET incremental = incremental || '{"connectionsMax": 1}'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`UPDATE tasks SET incremental = incremental - 'connectionsMax'`);
  }
}
