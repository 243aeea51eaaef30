import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { type Source } from '../schema-object.js';

export interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isPartitioned: boolean;
  readonly isPartition: boolean;
  readonly isUnlogged: boolean;
  readonly options: readonly string[] | null;
  readonly toastOptions: readonly string[] | null;
  /** Only where it is not heap. */
  readonly accessMethod: string | null;
  readonly partitionKey: string | null;
  readonly bound: string | null;
  readonly ofType: string | null;
  readonly parents: readonly { readonly oid: number; readonly schema: string; readonly name: string }[];
}

/** A CHECK constraint of a table. */
export interface CheckRow {
  readonly oid: number;
  readonly relation: number;
  readonly name: string;
  readonly definition: string;
  readonly isLocal: boolean;
  readonly isValid: boolean;
}

/** Tested on PostgreSQL 10–18. */
export function readTableRows({ client, versionNum, targetVersionNum }: Source): Promise<TableRow[]> {
  const accessMethod = since(versionNum, {
    from: 120_000,
    use: sql`(SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap')`,
    before: sql`NULL`,
  });
  // It never meant anything for a partitioned table, and 18 refuses it.
  const isUnlogged = since(targetVersionNum, {
    from: 180_000,
    use: sql`c.relpersistence = 'u' AND c.relkind <> 'p'`,
    before: sql`c.relpersistence = 'u'`,
  });
  return readRows<TableRow>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name, r.rolname AS owner, c.relkind = 'p' AS "isPartitioned",
      c.relispartition AS "isPartition", ${isUnlogged} AS "isUnlogged",
      c.reloptions AS options, toast.reloptions AS "toastOptions", ${accessMethod} AS "accessMethod",
      CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS "partitionKey",
      pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound,
      CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS "ofType",
      coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object('oid', p.oid::bigint, 'schema', pn.nspname, 'name', p.relname)
          ORDER BY i.inhseqno)
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
        WHERE i.inhrelid = c.oid), '[]') AS parents
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
    LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname`,
  );
}

/** Tested on PostgreSQL 10–18. */
export async function readChecks({ client }: Source, relations: readonly number[]): Promise<Map<number, CheckRow[]>> {
  const rows = await readRows<CheckRow>(
    client,
    sql`
    SELECT k.oid, k.conrelid AS relation, k.conname AS name, pg_catalog.pg_get_constraintdef(k.oid) AS definition,
      k.conislocal AS "isLocal", k.convalidated AS "isValid"
    FROM pg_catalog.pg_constraint k
    WHERE k.conrelid = ANY ($1::oid[]) AND k.contype = 'c'
    ORDER BY k.conrelid, k.conname`,
    [relations],
  );
  return Map.groupBy(rows, ({ relation }) => relation);
}
