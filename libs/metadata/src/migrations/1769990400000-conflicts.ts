import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Conflicts of the incremental phase, as long as their task is kept. `json`, as that keeps the order of columns. */
const STATEMENTS = [
  `CREATE TABLE conflicts (
     conflict_id uuid PRIMARY KEY,
     position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
     task_id uuid NOT NULL REFERENCES tasks ON DELETE CASCADE,
     at timestamptz NOT NULL,
     commit_lsn text NOT NULL,
     change_number bigint NOT NULL,
     schema_name text NOT NULL,
     table_name text NOT NULL,
     operation text NOT NULL,
     kind text NOT NULL,
     constraint_name text,
     action text NOT NULL,
     key json NOT NULL,
     source_row json,
     target_rows json NOT NULL
   )`,
  `CREATE INDEX conflicts_task ON conflicts (task_id, position)`,
  `CREATE INDEX conflicts_table ON conflicts (task_id, schema_name, table_name, position)`,
  `CREATE INDEX conflicts_action ON conflicts (task_id, action, position)`,
  `CREATE INDEX conflicts_kind ON conflicts (task_id, kind, operation, position)`,
  `CREATE INDEX conflicts_at ON conflicts (task_id, at)`,
];

export class Conflicts1769990400000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE conflicts`);
  }
}
