import { type DdlDecision } from '@sluice/contracts';
import { type Lsn, ZERO_LSN } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';
import { type ExecutedDdl } from './ddl-runner.js';
import { createStepTable, type PostponedStatement, runPostponed, storeStep } from './postponed-statements.js';

/** A table of the source whose rows are still to be copied: until then it is empty on the target, and its changes are left out. */
export interface PendingTable {
  /** On the source: what the stream of changes calls it, whatever its name becomes. */
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** Written with the DDL, removed with the copy. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS sluice.adoption (
    task_id uuid NOT NULL, relation_oid oid NOT NULL, schema_name text NOT NULL, table_name text NOT NULL,
    PRIMARY KEY (task_id, relation_oid))`;

export async function createAdoptionTables(target: ClientBase): Promise<void> {
  await target.query(TABLE);
  await createStepTable(target);
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

  /** @returns false when there is no such relation. */
  postpone(target: ClientBase, postponed: PostponedStatement): Promise<boolean> {
    return storeStep(target, this.#taskId, postponed);
  }

  /** No rows will come for what waits when the last pending table was dropped. */
  async finish(target: Client, decisions: readonly DdlDecision[]): Promise<ExecutedDdl[]> {
    return this.isEmpty ? runPostponed(target, { taskId: this.#taskId, decisions }) : [];
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
