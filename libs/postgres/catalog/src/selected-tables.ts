import { type ObjectJudge, type SchemaAndName } from '@sluice/model';
import { type ClientBase } from 'pg';
import { readRows, sql } from './sql.js';
import { readTables, type TableFacts } from './tables.js';

interface FoundTable extends SchemaAndName {
  readonly oid: number;
}

/** The tables above each partition, the nearest first, by the partition's OID. Tested on PostgreSQL 10–18. */
export async function readAncestors(client: ClientBase): Promise<ReadonlyMap<number, readonly SchemaAndName[]>> {
  const rows = await readRows<{ oid: number; ancestors: SchemaAndName[] }>(
    client,
    sql`
    WITH RECURSIVE above AS (
      SELECT c.oid, i.inhparent, 1 AS distance
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
      WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
      UNION ALL
      SELECT a.oid, i.inhparent, a.distance + 1
      FROM above a
      JOIN pg_catalog.pg_class p ON p.oid = a.inhparent AND p.relispartition
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = p.oid)
    SELECT a.oid, pg_catalog.json_agg(pg_catalog.json_build_object('schema', n.nspname, 'name', p.relname) ORDER BY a.distance) AS ancestors
    FROM above a
    JOIN pg_catalog.pg_class p ON p.oid = a.inhparent
    JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
    GROUP BY a.oid`,
  );
  return new Map(rows.map(({ oid, ancestors }) => [oid, ancestors]));
}

/** Of these tables those that belong to the task; `by` tells the present ones apart from those that are new. */
export async function selectTables<Table extends FoundTable>(
  client: ClientBase,
  tables: readonly Table[],
  { judge, by = 'selectsTable' }: { readonly judge: ObjectJudge; readonly by?: 'selectsTable' | 'joins' },
): Promise<Table[]> {
  if (judge.isEverything || tables.length === 0) return [...tables];
  const ancestors = await readAncestors(client);
  return tables.filter((table) => judge[by]({ ...table, ancestors: ancestors.get(table.oid) ?? [] }));
}

/** All tables of the task that hold, or whose partitions hold, rows of people. */
export async function readSelectedTables(client: ClientBase, judge: ObjectJudge): Promise<TableFacts[]> {
  return selectTables(client, await readTables(client), { judge });
}
