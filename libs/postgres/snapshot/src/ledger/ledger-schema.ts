import { type Client, inTransaction, quoteIdentifier } from '@sluice/postgres-client';

/** Serializes creation and removal of the schema `sluice`; libs/postgres/writer takes the same lock for its tables. */
const BOOKKEEPING_LOCK = 7_238_901_553;

const TABLES: readonly (readonly [name: string, definition: string])[] = [
  [
    'checkpoint',
    `(task_id uuid PRIMARY KEY, epoch bigint NOT NULL, lsn pg_lsn NOT NULL, commit_time timestamptz)
     WITH (fillfactor = 50)`,
  ],
  [
    'load',
    `(task_id uuid PRIMARY KEY, generation integer NOT NULL DEFAULT 0, snapshot_name text,
      visible_xids text, consistent_lsn pg_lsn,
      slot_lsn pg_lsn, structure_done boolean NOT NULL DEFAULT false, error jsonb, copied_at timestamptz,
      loaded_at timestamptz, finished_at timestamptz, structure_lsn pg_lsn)`,
  ],
  [
    'table_load',
    `(task_id uuid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, generation integer NOT NULL,
      start_lsn pg_lsn, done boolean NOT NULL DEFAULT false, PRIMARY KEY (task_id, schema_name, table_name))`,
  ],
  [
    'chunk',
    `(chunk_id uuid PRIMARY KEY, task_id uuid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL,
      position integer NOT NULL, from_block bigint, to_block bigint, columns text[] NOT NULL, is_binary boolean NOT NULL,
      owns_table boolean NOT NULL, generation integer NOT NULL, estimated_bytes bigint NOT NULL, rows bigint,
      bytes bigint, error jsonb, done_at timestamptz)`,
  ],
  [
    'build_step',
    `(step_id uuid PRIMARY KEY, task_id uuid NOT NULL, position integer NOT NULL, step_group integer NOT NULL,
      identity text NOT NULL, sql text NOT NULL, awaits_join boolean NOT NULL, error jsonb, done_at timestamptz)`,
  ],
  [
    'role',
    '(task_id uuid NOT NULL, role_name text NOT NULL, is_account_member boolean NOT NULL, PRIMARY KEY (task_id, role_name))',
  ],
  ['large_object', '(task_id uuid NOT NULL, object_oid oid NOT NULL, PRIMARY KEY (task_id, object_oid))'],
  [
    'adoption',
    `(task_id uuid NOT NULL, relation_oid oid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL,
      PRIMARY KEY (task_id, relation_oid))`,
  ],
  [
    'adoption_step',
    `(step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_id uuid NOT NULL, relation_oid oid NOT NULL,
      search_path text[], statement text)`,
  ],
  [
    'selection_exception',
    `(task_id uuid NOT NULL, kind text NOT NULL, schema_name text NOT NULL, object_name text NOT NULL,
      is_selected boolean NOT NULL, PRIMARY KEY (task_id, kind, schema_name, object_name))`,
  ],
  [
    'conflict',
    `(conflict_id uuid PRIMARY KEY, ordinal bigint GENERATED ALWAYS AS IDENTITY, task_id uuid NOT NULL,
      at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), commit_lsn pg_lsn NOT NULL,
      change_number bigint NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, operation text NOT NULL,
      kind text NOT NULL, constraint_name text, action text NOT NULL, key json NOT NULL, source_row json,
      target_rows json NOT NULL, UNIQUE (task_id, ordinal))`,
  ],
];
const INDEXES = `
  CREATE INDEX IF NOT EXISTS chunk_of_table ON sluice.chunk (task_id, schema_name, table_name);
  CREATE INDEX IF NOT EXISTS build_step_of_task ON sluice.build_step (task_id, step_group)`;

const withLock = <T>(target: Client, work: () => Promise<T>): Promise<T> =>
  inTransaction(target, 'BEGIN', async () => {
    await target.query('SELECT pg_catalog.pg_advisory_xact_lock($1)', [BOOKKEEPING_LOCK]);
    return work();
  });

/**
 * Makes the bookkeeping where it is missing and opens the task's load in it, in one transaction: the clean-up of
 * another task must not drop the tables in between.
 */
export async function openLedger(target: Client, taskId: string): Promise<void> {
  await withLock(target, async () => {
    if ((await presentTables(target)).length < TABLES.length) {
      const { rows } = await target.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'sluice'");
      // IF NOT EXISTS would ask for the right to create schemas even when there is nothing to create.
      if (rows.length === 0) await target.query('CREATE SCHEMA sluice');
      for (const [name, definition] of TABLES) {
        await target.query(`CREATE TABLE IF NOT EXISTS sluice.${quoteIdentifier(name)} ${definition}`);
      }
      await target.query(INDEXES);
    }
    await target.query('INSERT INTO sluice.load (task_id) VALUES ($1) ON CONFLICT DO NOTHING', [taskId]);
  });
}

/** Forgets the task; the last one takes the schema with it, unless somebody else keeps objects there. */
export async function dropTaskBookkeeping(target: Client, taskId: string): Promise<void> {
  await withLock(target, async () => {
    const present = await presentTables(target);
    const occupied: string[] = [];
    for (const name of present) {
      const table = `sluice.${quoteIdentifier(name)}`;
      await target.query(`DELETE FROM ${table} WHERE task_id = $1`, [taskId]);
      const { rows } = await target.query(`SELECT FROM ${table} LIMIT 1`);
      if (rows.length > 0) occupied.push(name);
    }
    if (occupied.length > 0) return;
    for (const name of present) await target.query(`DROP TABLE sluice.${quoteIdentifier(name)}`);
    await target.query(`
      DO $$ BEGIN DROP SCHEMA IF EXISTS sluice; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$`);
  });
}

async function presentTables(target: Client): Promise<string[]> {
  const { rows } = await target.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'sluice' AND c.relkind = 'r' AND c.relname = ANY ($1::text[])`,
    [TABLES.map(([name]) => name)],
  );
  return rows.map(({ name }) => name);
}
