import { type Lsn, ZERO_LSN } from '@sluice/model';
import { type ClientBase } from 'pg';

/** A table of the source whose rows are still to be copied: until then it is empty on the target, and its changes are left out. */
export interface PendingTable {
  /** On the source: what the stream of changes calls it, whatever its name becomes. */
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/**
 * A statement that needs the rows of pending tables, such as a foreign key to one; executed when they have joined, unless
 * the relation is gone by then.
 */
export interface PostponedStatement {
  /** Quoted. */
  readonly relation: string;
  /** `null`: the materialized view is refreshed. */
  readonly statement: { readonly text: string; readonly searchPath: readonly string[] } | null;
}

/** `sluice.adoption` and `sluice.adoption_step`: written with the DDL, removed with the copy. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS sluice.adoption (
    task_id uuid NOT NULL, relation_oid oid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL,
    PRIMARY KEY (task_id, relation_oid));
  CREATE TABLE IF NOT EXISTS sluice.adoption_step (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_id uuid NOT NULL, relation_oid oid NOT NULL,
    search_path text[], statement text)`;

export async function createAdoptionTables(target: ClientBase): Promise<void> {
  await target.query(TABLES);
}

/**
 * The pending tables of a task, as of the target's open transaction.
 *
 * Maintained invariant: memory follows the table `sluice.adoption`: `commit` and `rollback` are called with those of the
 * target's transaction.
 */
export class PendingTables {
  readonly #taskId: string;
  #committed: ReadonlyMap<number, PendingTable>;
  #current: Map<number, PendingTable>;
  #touchedLsn: Lsn = ZERO_LSN;

  private constructor(taskId: string, tables: ReadonlyMap<number, PendingTable>) {
    this.#taskId = taskId;
    this.#committed = tables;
    this.#current = new Map(tables);
  }

  static async read(target: ClientBase, taskId: string): Promise<PendingTables> {
    const { rows } = await target.query<PendingTable>(
      `SELECT relation_oid::int8::float8 AS oid, schema_name AS schema, table_name AS name
       FROM sluice.adoption WHERE task_id = $1`,
      [taskId],
    );
    return new PendingTables(taskId, new Map(rows.map((table) => [table.oid, table])));
  }

  /** Those of committed transactions. */
  get tables(): readonly PendingTable[] {
    return [...this.#committed.values()];
  }

  get isEmpty(): boolean {
    return this.#current.size === 0;
  }

  has(oid: number): boolean {
    return this.#current.has(oid);
  }

  /**
   * The newest transaction in which a change was left out, or a DDL executed: a copy as of a position at or below it
   * would lack that change, or be of a table that looks different.
   */
  get touchedLsn(): Lsn {
    return this.#touchedLsn;
  }

  touch(commitLsn: Lsn): void {
    if (commitLsn > this.#touchedLsn) this.#touchedLsn = commitLsn;
  }

  /** Inside the transaction that creates or empties it on the target. */
  async add(target: ClientBase, table: PendingTable): Promise<void> {
    this.#current.set(table.oid, table);
    await target.query(
      `INSERT INTO sluice.adoption (task_id, relation_oid, schema_name, table_name) VALUES ($1, $2::int8::oid, $3, $4)
       ON CONFLICT (task_id, relation_oid) DO UPDATE SET schema_name = excluded.schema_name, table_name = excluded.table_name`,
      [this.#taskId, table.oid, table.schema, table.name],
    );
  }

  /** Inside the transaction that drops it on the target. */
  async remove(target: ClientBase, oid: number): Promise<void> {
    if (!this.#current.delete(oid)) return;
    await target.query('DELETE FROM sluice.adoption WHERE task_id = $1 AND relation_oid = $2::int8::oid', [
      this.#taskId,
      oid,
    ]);
  }

  /** By the relation's OID, as its name can change until then. @returns false when there is no such relation. */
  async postpone(target: ClientBase, { relation, statement }: PostponedStatement): Promise<boolean> {
    const { rowCount } = await target.query(
      `INSERT INTO sluice.adoption_step (task_id, relation_oid, search_path, statement)
       SELECT $1, pg_catalog.to_regclass($2), $3, $4 WHERE pg_catalog.to_regclass($2) IS NOT NULL`,
      [this.#taskId, relation, statement?.searchPath ?? null, statement?.text ?? null],
    );
    return rowCount === 1;
  }

  commit(): void {
    this.#committed = new Map(this.#current);
  }

  rollback(): void {
    this.#current = new Map(this.#committed);
  }

  /** They were copied by another session, which has removed their rows. */
  joined(oids: readonly number[]): void {
    for (const oid of oids) this.#current.delete(oid);
    this.commit();
  }
}
