import { type SelectableKind } from '@sluice/contracts';
import { type ClientBase } from 'pg';
import { inUserSchema } from './scope.js';
import { readRows, sql, type Sql } from './sql.js';

export interface SelectableObject {
  readonly kind: SelectableKind;
  readonly schema: string;
  readonly name: string;
}

/** In one anti-join with all of pg_depend and not one look per object, as there may be very many. */
const MEMBERS = sql`SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'`;

/**
 * Everything in schemas of people that a selection can list, but for members of extensions, row types and what comes with a type:
 * columns `oid`, `relkind` (of relations), `kind`, `schema`, `name`. Overloads of a function are one row. Tested on PostgreSQL 10–18.
 */
export const SELECTABLE_OBJECTS: Sql = sql`
  SELECT o.oid, o.relkind, o.kind, n.nspname AS schema, o.name
  FROM (
    SELECT c.oid, c.relkind, c.relnamespace AS namespace, c.relname AS name,
      CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
    FROM pg_catalog.pg_class c LEFT JOIN (${MEMBERS}) e ON e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relpersistence <> 't' AND e.objid IS NULL
    UNION ALL
    SELECT min(p.oid::int8)::oid, NULL, p.pronamespace, p.proname, 'function'
    FROM pg_catalog.pg_proc p LEFT JOIN (${MEMBERS}) e ON e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid
    WHERE p.oid >= 16384 AND e.objid IS NULL AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
    GROUP BY p.pronamespace, p.proname
    UNION ALL
    SELECT t.oid, NULL, t.typnamespace, t.typname, 'type'
    FROM pg_catalog.pg_type t
    LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    LEFT JOIN (${MEMBERS}) e ON e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid
    WHERE t.oid >= 16384 AND (c.oid IS NULL OR c.relkind = 'c') AND e.objid IS NULL AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'i')
  ) o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
  WHERE ${inUserSchema}`;

export function readSelectableObjects(client: ClientBase): Promise<SelectableObject[]> {
  return readRows<SelectableObject>(
    client,
    sql`SELECT s.kind, s.schema::text AS schema, s.name::text AS name FROM (${SELECTABLE_OBJECTS}) s ORDER BY 2, 3, 1`,
  );
}
