import { type ClientBase } from 'pg';
import { isBinaryCopySafe, hasEquality, type TypeFacts } from './type-traits.js';
import { readRows, readVersionNum, since, sql, type Sql } from './sql.js';

/** What a column needs to know of its type. */
export interface TypeTraits {
  readonly schema: string;
  readonly name: string;
  readonly sql: string;
  readonly hasEquality: boolean;
  readonly isBinaryCopySafe: boolean;
}

/**
 * The types of the columns that `columnTypes` (a query with one column `oid`) yields, by OID.
 * Tested on PostgreSQL 10–18.
 */
export async function readTypes(
  client: ClientBase,
  columnTypes: Sql,
  values: readonly unknown[] = [],
): Promise<ReadonlyMap<number, TypeTraits>> {
  const query = typesQuery(columnTypes, await readVersionNum(client));
  const rows = await readRows<TypeFacts & { oid: number; schema: string; sql: string }>(client, query, values);
  const facts = new Map<number, TypeFacts>(rows.map((row) => [row.oid, row]));
  return new Map(
    rows.map((row) => [
      row.oid,
      {
        schema: row.schema,
        name: row.name,
        sql: row.sql,
        hasEquality: hasEquality(row.oid, facts),
        isBinaryCopySafe: isBinaryCopySafe(row.oid, facts),
      },
    ]),
  );
}

/** The types and, recursively, what they are made of. */
function typesQuery(columnTypes: Sql, versionNum: number): Sql {
  const multirange = since(versionNum, {
    from: 140_000,
    use: sql`UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid`,
    before: sql``,
  });
  return sql`
    WITH RECURSIVE used(oid) AS (
      (${columnTypes})
      UNION
      SELECT part.oid FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid, LATERAL (
        SELECT t.typelem AS oid WHERE t.typelem <> 0
        UNION ALL SELECT t.typbasetype WHERE t.typbasetype <> 0
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
        UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
          WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ${multirange}
      ) part
    )
    SELECT t.oid, n.nspname AS schema, t.typname AS name, pg_catalog.format_type(t.oid, NULL) AS sql,
      n.nspname = 'pg_catalog' AND t.oid < 16384 AS "isBuiltIn",
      CASE WHEN e.oid IS NOT NULL THEN 'array' ELSE
        CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'c' THEN 'composite'
          WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange' ELSE 'base' END
      END AS kind,
      CASE WHEN e.oid IS NOT NULL THEN ARRAY[e.oid] WHEN t.typtype = 'd' THEN ARRAY[t.typbasetype]
        WHEN t.typtype = 'c' THEN ARRAY(
          SELECT a.atttypid FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
        ELSE ARRAY[]::oid[] END::bigint[]::text[] AS parts,
      EXISTS (
        SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
        WHERE o.opcdefault AND m.amname IN ('btree', 'hash') AND (o.opcintype = t.oid OR o.opcintype IN (
          SELECT c.casttarget FROM pg_catalog.pg_cast c
          WHERE c.castsource = t.oid AND c.castmethod = 'b' AND c.castcontext = 'i'))
      ) AS "hasOperatorClass"
    FROM used
    JOIN pg_catalog.pg_type t ON t.oid = used.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid`;
}
