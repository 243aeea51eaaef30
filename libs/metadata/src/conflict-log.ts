import { type Conflict, type TaskId } from '@sluice/contracts';
import { type EntityManager } from 'typeorm';
import { ConflictEntity } from './entities/conflict.entity.js';
import { type Page, readPage } from './page.js';

export interface ConflictQuery {
  readonly taskId: TaskId;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly kind?: Conflict['kind'] | undefined;
  readonly action?: Conflict['action'] | undefined;
  readonly operation?: Conflict['operation'] | undefined;
  /** Journaled at or after it, ISO 8601. */
  readonly from?: string | undefined;
  /** Journaled before it. */
  readonly to?: string | undefined;
  /** With the images of the rows. */
  readonly rows: boolean;
}

/** A conflict, with the images of its rows if they were asked for. */
export type ListedConflict = Omit<Conflict, 'sourceRow' | 'targetRows'> & Partial<Conflict>;

export type ConflictPage = Page<ListedConflict>;

/** The conflicts of tasks, each once, as long as the task is kept. */
export class ConflictLog {
  constructor(private readonly manager: EntityManager) {}

  /** Of a task that is gone nothing is kept. @returns how many were not known. */
  async record(taskId: TaskId, conflicts: readonly Conflict[]): Promise<number> {
    const rows: unknown[] = await this.manager.query(
      `INSERT INTO conflicts (conflict_id, task_id, at, commit_lsn, change_number, schema_name, table_name, operation,
                              kind, constraint_name, action, key, source_row, target_rows)
       SELECT (c->>'conflictId')::uuid, $1::uuid, (c->>'at')::timestamptz, c->>'commitLsn', (c->>'changeNumber')::bigint,
              c->'table'->>'schema', c->'table'->>'name', c->>'operation', c->>'kind', c->>'constraint', c->>'action',
              c->'key', (c->>'sourceRow')::json, c->'targetRows'
       FROM json_array_elements($2::json) WITH ORDINALITY AS e(c, ordinal)
       WHERE EXISTS (SELECT FROM tasks WHERE id = $1::uuid)
       ORDER BY ordinal
       ON CONFLICT (conflict_id) DO NOTHING
       RETURNING conflict_id`,
      [taskId, JSON.stringify(conflicts)],
    );
    return rows.length;
  }

  /** Newest first. */
  async list(query: ConflictQuery): Promise<ConflictPage> {
    const builder = this.manager
      .createQueryBuilder(ConflictEntity, 'conflict')
      .where('conflict.taskId = :taskId', { taskId: query.taskId });
    if (query.rows) builder.addSelect(['conflict.sourceRow', 'conflict.targetRows']);
    const { schema, table, kind, action, operation, from, to } = query;
    const equal = { schemaName: schema, tableName: table, kind, action, operation };
    for (const [column, value] of Object.entries(equal))
      if (value !== undefined) builder.andWhere(`conflict.${column} = :${column}`, { [column]: value });
    if (from !== undefined) builder.andWhere('conflict.at >= :from', { from });
    if (to !== undefined) builder.andWhere('conflict.at < :to', { to });
    const { items, nextCursor } = await readPage(builder, query);
    return { items: items.map((row) => toConflict(row, query.rows)), nextCursor };
  }
}

function toConflict(row: ConflictEntity, withRows: boolean): ListedConflict {
  const { conflictId, taskId, commitLsn, operation, kind, action, key } = row;
  return {
    conflictId,
    taskId,
    at: row.at.toISOString(),
    commitLsn,
    changeNumber: Number(row.changeNumber),
    table: { schema: row.schemaName, name: row.tableName },
    operation,
    kind,
    constraint: row.constraintName,
    action,
    key,
    ...(withRows && { sourceRow: row.sourceRow ?? null, targetRows: row.targetRows ?? [] }),
  };
}
