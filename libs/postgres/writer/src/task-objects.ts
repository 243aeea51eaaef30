import { type NamedObject, type ObjectJudge, type PlacedTable, type SchemaAndName } from '@sluice/model';
import { type ClientBase } from 'pg';

/** An object that belongs to the task, or does not, whatever its name says. */
export interface SelectionException extends NamedObject {
  readonly isSelected: boolean;
}

const TABLE = `
  CREATE TABLE IF NOT EXISTS sluice.selection_exception (
    task_id uuid NOT NULL, kind text NOT NULL, schema_name text NOT NULL, object_name text NOT NULL,
    is_selected boolean NOT NULL, PRIMARY KEY (task_id, kind, schema_name, object_name))`;

export async function createExceptionTable(target: ClientBase): Promise<void> {
  await target.query(TABLE);
}

const keyOf = ({ kind, schema, name }: NamedObject): string => JSON.stringify([kind, schema, name]);
const asTable = ({ schema, name }: SchemaAndName): NamedObject => ({ kind: 'table', schema, name });

/**
 * What belongs to a task, as of the target's open transaction: what the selection says of names, but for the exceptions:
 * what came along with the load, tables that are followed under another name, tables that were left outside.
 *
 * Maintained invariant: memory follows the table `sluice.selection_exception`: `commit` and `rollback` are called with
 * those of the target's transaction.
 */
export class TaskObjects {
  readonly #taskId: string;
  readonly #judge: ObjectJudge;
  #committed: ReadonlyMap<string, SelectionException>;
  #current: Map<string, SelectionException>;

  private constructor(taskId: string, judge: ObjectJudge, exceptions: readonly SelectionException[]) {
    this.#taskId = taskId;
    this.#judge = judge;
    this.#committed = new Map(exceptions.map((exception) => [keyOf(exception), exception]));
    this.#current = new Map(this.#committed);
  }

  static async read(target: ClientBase, taskId: string, judge: ObjectJudge): Promise<TaskObjects> {
    if (judge.isEverything) return new TaskObjects(taskId, judge, []);
    const { rows } = await target.query<SelectionException>(
      `SELECT kind, schema_name AS schema, object_name AS name, is_selected AS "isSelected"
       FROM sluice.selection_exception WHERE task_id = $1`,
      [taskId],
    );
    return new TaskObjects(taskId, judge, rows);
  }

  get isEverything(): boolean {
    return this.#judge.isEverything;
  }

  get level(): ObjectJudge['level'] {
    return this.#judge.level;
  }

  has(object: NamedObject, ancestors: readonly SchemaAndName[] = []): boolean {
    return this.#decide(object, { ancestors, by: 'selectsTable' });
  }

  /** The same for an object that is new. Only relations can be kept out by being new: nothing else is about rows. */
  admits(object: NamedObject, ancestors: readonly SchemaAndName[] = []): boolean {
    return this.#decide(object, { ancestors, by: 'joins' });
  }

  /** Whether something in the schema belongs to the task, or could. */
  mayHold(schema: string): boolean {
    if (this.#judge.mayHold(schema)) return true;
    return [...this.#current.values()].some((exception) => exception.isSelected && exception.schema === schema);
  }

  /** Inside the transaction that makes it true on the target. */
  async except(target: ClientBase, exception: SelectionException): Promise<void> {
    this.#current.set(keyOf(exception), exception);
    await target.query(
      `INSERT INTO sluice.selection_exception (task_id, kind, schema_name, object_name, is_selected)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (task_id, kind, schema_name, object_name) DO UPDATE SET is_selected = excluded.is_selected`,
      [this.#taskId, exception.kind, exception.schema, exception.name, exception.isSelected],
    );
  }

  /** Nothing has this name any more. */
  async forget(target: ClientBase, object: NamedObject): Promise<void> {
    if (!this.#current.delete(keyOf(object))) return;
    await target.query(
      `DELETE FROM sluice.selection_exception WHERE task_id = $1 AND kind = $2 AND schema_name = $3 AND object_name = $4`,
      [this.#taskId, object.kind, object.schema, object.name],
    );
  }

  commit(): void {
    this.#committed = new Map(this.#current);
  }

  rollback(): void {
    this.#current = new Map(this.#committed);
  }

  #decide(
    object: NamedObject,
    { ancestors, by }: { readonly ancestors: readonly SchemaAndName[]; readonly by: 'selectsTable' | 'joins' },
  ): boolean {
    const own = this.#current.get(keyOf(object));
    if (own) return own.isSelected;
    if (object.kind === 'table') return this.#decideTable({ ...object, ancestors }, by);
    if (by === 'selectsTable' || !['view', 'materialized_view', 'sequence'].includes(object.kind))
      return this.#judge.selects(object);
    return this.#judge.level === 'database' ? this.#judge.selects(object) : this.#judge.lists(object);
  }

  #decideTable({ ancestors, ...table }: PlacedTable, by: 'selectsTable' | 'joins'): boolean {
    const exceptions = ancestors.map((ancestor) => this.#current.get(keyOf(asTable(ancestor))));
    if (exceptions.some((exception) => exception?.isSelected === true)) return true;
    return this.#judge[by]({ ...table, ancestors: ancestors.filter((_, index) => !exceptions[index]) });
  }
}
