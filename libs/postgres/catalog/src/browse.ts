import { type CatalogObject, type CatalogPosition, type CatalogSchema, type SelectableKind } from '@sluice/contracts';
import { type ClientBase } from 'pg';
import { SELECTABLE_OBJECTS } from './selectable-objects.js';
import { readRows, sql } from './sql.js';

export interface CatalogPage<Item> {
  readonly items: Item[];
  /** Where the next page begins; null on the last one. */
  readonly next: CatalogPosition | null;
}

export interface BrowseOptions {
  readonly after: CatalogPosition | null;
  readonly limit: number;
}

/** The schemas that hold something, by name. Two queries, however many objects there are. */
export async function browseSchemas(
  client: ClientBase,
  { after, limit }: BrowseOptions,
): Promise<CatalogPage<CatalogSchema>> {
  const rows = await readRows<CatalogSchema>(
    client,
    sql`
    SELECT k.schema, pg_catalog.json_object_agg(k.kind, k.count) AS counts
    FROM (
      SELECT s.schema::text COLLATE "C" AS schema, s.kind, count(*) AS count
      FROM (${SELECTABLE_OBJECTS}) s WHERE $1::text IS NULL OR s.schema::text COLLATE "C" > $1
      GROUP BY 1, 2) k
    GROUP BY k.schema ORDER BY k.schema LIMIT $2`,
    [after?.schema ?? null, limit + 1],
  );
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, next: last ? { schema: last.schema } : null };
}

export interface ObjectFilter {
  readonly schema?: string | undefined;
  readonly kind?: SelectableKind | undefined;
  /** Part of `schema.name`, whatever its case. */
  readonly search?: string | undefined;
}

/**
 * Objects by schema, name and kind. Sizes are asked for those of the page only: each is a look at files. Tested on
 * PostgreSQL 10–18.
 */
export async function browseObjects(
  client: ClientBase,
  { after, limit, schema, kind, search }: BrowseOptions & ObjectFilter,
): Promise<CatalogPage<CatalogObject>> {
  const rows = await readRows<CatalogObject>(
    client,
    sql`
    WITH RECURSIVE page AS (
      SELECT s.oid, s.relkind, s.kind, s.schema::text COLLATE "C" AS schema, s.name::text COLLATE "C" AS name
      FROM (${SELECTABLE_OBJECTS}) s
      WHERE ($1::text IS NULL OR s.schema = $1) AND ($2::text IS NULL OR s.kind = $2)
        AND ($3::text IS NULL OR strpos(lower(s.schema || '.' || s.name), lower($3)) > 0)
        AND ($4::text IS NULL OR (s.schema::text COLLATE "C", s.name::text COLLATE "C", s.kind COLLATE "C") > ($4, $5, $6))
      ORDER BY 4, 5, s.kind COLLATE "C" LIMIT $7
    ), tree AS (
      SELECT p.oid AS root, p.oid FROM page p WHERE p.relkind IN ('r', 'p', 'm')
      UNION ALL
      SELECT t.root, i.inhrelid
      FROM tree t
      JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
    ), size AS (
      SELECT t.root, sum(pg_catalog.pg_total_relation_size(t.oid))::float8 AS bytes,
        sum(CASE WHEN c.relkind = 'p' THEN NULL WHEN c.relpages > 0 AND c.reltuples >= 0 THEN c.reltuples::float8 END) AS rows
      FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid GROUP BY t.root
    ), above AS (
      SELECT p.oid AS leaf, i.inhparent AS oid, 1 AS distance
      FROM page p
      JOIN pg_catalog.pg_class c ON c.oid = p.oid AND c.relispartition AND p.relkind IN ('r', 'p')
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = p.oid
      UNION ALL
      SELECT a.leaf, i.inhparent, a.distance + 1
      FROM above a
      JOIN pg_catalog.pg_class c ON c.oid = a.oid AND c.relispartition
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid
    )
    SELECT p.kind, p.schema, p.name, round(s.rows) AS "rowEstimate", s.bytes,
      (SELECT pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname)
       FROM above a JOIN pg_catalog.pg_class c ON c.oid = a.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE p.relkind IN ('r', 'p') AND a.leaf = p.oid ORDER BY a.distance DESC LIMIT 1) AS "partitionOf"
    FROM page p LEFT JOIN size s ON s.root = p.oid AND p.relkind IN ('r', 'p', 'm')
    ORDER BY p.schema, p.name, p.kind COLLATE "C"`,
    [
      schema ?? null,
      kind ?? null,
      search ?? null,
      after?.schema ?? null,
      after?.name ?? '',
      after?.kind ?? '',
      limit + 1,
    ],
  );
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, next: last ? { schema: last.schema, name: last.name, kind: last.kind } : null };
}
