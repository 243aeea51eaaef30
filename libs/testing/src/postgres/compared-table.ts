import { type Client, quoteQualified } from '@sluice/postgres-client';

export interface ComparedColumn {
  readonly name: string;
  /** Name of its type in pg_catalog; of a type of the user `range`, or `''`. */
  readonly type: string;
}

export interface ComparedTable {
  readonly schema: string;
  /** For a FROM clause; a plain table without its inheritance children, a partitioned one with all partitions. */
  readonly from: string;
  readonly columns: readonly ComparedColumn[];
}

interface TableRow {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly partitioned: boolean;
  readonly columns: readonly ComparedColumn[];
}

/**
 * Roots of partition trees and plain tables, by `schema.name`. Temporary and unlogged tables are left out: their
 * changes are not in the WAL, so that no replication can keep them. Tried on PostgreSQL 10 to 18.
 */
const TABLES = `
  SELECT c.oid::regclass::text AS name, n.nspname AS schema, c.relname AS table, c.relkind = 'p' AS partitioned,
         coalesce((SELECT json_agg(json_build_object(
                            'name', a.attname,
                            'type', CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname
                                         WHEN t.typtype = 'r' THEN 'range' ELSE '' END)
                          ORDER BY a.attnum)
                     FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
   ORDER BY 1`;

export async function readTables(
  client: Client,
  excludedSchemas: readonly string[],
): Promise<Map<string, ComparedTable>> {
  const { rows } = await client.query<TableRow>(TABLES, [[...excludedSchemas]]);
  return new Map(
    rows.map(({ name, schema, table, partitioned, columns }) => [
      name,
      {
        schema,
        from: `${partitioned ? '' : 'ONLY '}${quoteQualified(schema, table)} AS t`,
        columns,
      },
    ]),
  );
}
