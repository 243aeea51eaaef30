import { type DdlDecision } from '@sluice/contracts';
import { formatLsn, parseLsn } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { type DdlCommand } from '@sluice/postgres-ddl';
import { type ClientBase } from 'pg';
import { decisionOn, type DdlPlace, type ExecutedDdl } from './ddl-runner.js';
import { type ShownDdl } from './ddl-failure.js';
import { runOrFail } from './ddl-statement.js';

/**
 * A statement that needs the rows of pending tables, such as a foreign key to one; executed when they have joined, unless
 * the relation is gone by then.
 */
export interface PostponedStatement {
  /** Quoted. */
  readonly relation: string;
  /** `statement` is `null`: the materialized view is refreshed. */
  readonly ddl: ShownDdl;
  readonly place: DdlPlace;
  readonly settings: DdlCommand['settings'];
}

/** Of the table's first version, which kept the search path alone. There a place is made up, for a person to decide on. */
const FROM_SEARCH_PATH = `
  ALTER TABLE sluice.adoption_step
    ADD COLUMN settings jsonb NOT NULL DEFAULT '{}', ADD COLUMN commit_lsn pg_lsn NOT NULL DEFAULT '0/0', ADD COLUMN number int,
    ADD COLUMN tag text NOT NULL DEFAULT 'DDL', ADD COLUMN class text NOT NULL DEFAULT 'table', ADD COLUMN identity text;
  UPDATE sluice.adoption_step SET number = step_id, settings = pg_catalog.jsonb_build_object('search_path',
    (SELECT coalesce(pg_catalog.string_agg(pg_catalog.quote_ident(s), ', ' ORDER BY n), '')
     FROM unnest(search_path) WITH ORDINALITY AS p (s, n)));
  ALTER TABLE sluice.adoption_step DROP COLUMN search_path, ALTER COLUMN number SET NOT NULL`;

export async function createStepTable(target: ClientBase): Promise<void> {
  await target.query(`
    CREATE TABLE IF NOT EXISTS sluice.adoption_step (
      step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_id uuid NOT NULL, relation_oid oid NOT NULL,
      commit_lsn pg_lsn NOT NULL, number int NOT NULL, tag text NOT NULL, class text NOT NULL, identity text,
      settings jsonb NOT NULL, statement text)`);
  const { rowCount } = await target.query(
    `SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'sluice.adoption_step'::regclass AND attname = 'search_path'`,
  );
  // Asked first, as the change would wait for every writer even when there is nothing to change.
  if (rowCount === 1) await target.query(FROM_SEARCH_PATH);
}

/** By the relation's OID, as its name can change until then. @returns false when there is no such relation. */
export async function storeStep(
  target: ClientBase,
  taskId: string,
  { relation, ddl, place, settings }: PostponedStatement,
): Promise<boolean> {
  const { rowCount } = await target.query(
    `INSERT INTO sluice.adoption_step (task_id, relation_oid, commit_lsn, number, tag, class, identity, settings, statement)
     SELECT $1, pg_catalog.to_regclass($2), $3, $4, $5, $6, $7, $8, $9 WHERE pg_catalog.to_regclass($2) IS NOT NULL`,
    [
      taskId,
      relation,
      formatLsn(place.commitLsn),
      place.number,
      ddl.tag,
      ddl.class,
      ddl.identity,
      JSON.stringify(settings),
      ddl.statement,
    ],
  );
  return rowCount === 1;
}

export interface PostponedOptions {
  readonly taskId: string;
  readonly decisions: readonly DdlDecision[];
}

interface StepRow {
  readonly relation: string;
  readonly commitLsn: string;
  readonly number: number;
  readonly tag: string;
  readonly class: string;
  readonly identity: string | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly statement: string | null;
}

/**
 * Executes what waited for rows, in the order in which it came, once no table is pending any more: in the open transaction
 * that brings the last of these rows. A decision of a person counts for it as for every DDL.
 * @throws SluiceError 5013 with the statement and the place where it stood in the stream; 5011 and others that pass by themselves.
 */
export async function runPostponed(target: Client, { taskId, decisions }: PostponedOptions): Promise<ExecutedDdl[]> {
  const { rows } = await target.query<StepRow>(
    `WITH due AS (
       DELETE FROM sluice.adoption_step
       WHERE task_id = $1 AND NOT EXISTS (SELECT FROM sluice.adoption a WHERE a.task_id = $1)
       RETURNING *)
     SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation, commit_lsn::text AS "commitLsn", number, tag, class,
       identity, settings, statement
     FROM due JOIN pg_catalog.pg_class c ON c.oid = due.relation_oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     ORDER BY step_id`,
    [taskId],
  );
  const executed: ExecutedDdl[] = [];
  for (const row of rows) executed.push(await runStep(target, row, decisions));
  return executed;
}

async function runStep(target: Client, row: StepRow, decisions: readonly DdlDecision[]): Promise<ExecutedDdl> {
  const { relation, commitLsn, number, settings, statement: stored, ...ddl } = row;
  const place = { commitLsn: parseLsn(commitLsn), number };
  const decision = decisionOn(decisions, place);
  const executed = { place, tag: ddl.tag, identity: ddl.identity };
  if (decision?.decision === 'skip') return { ...executed, outcome: 'skipped', reason: 'decided' };
  const own = stored ?? `REFRESH MATERIALIZED VIEW ${relation}`;
  const statement = decision?.statement ?? own;
  await runOrFail(target, statement, { ddl: { ...ddl, statement }, place, settings });
  return { ...executed, outcome: decision ? 'replaced' : 'applied' };
}
