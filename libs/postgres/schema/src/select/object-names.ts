import { readAncestors, readRows, sql } from '@sluice/postgres-catalog';
import { type NamedObject, type ObjectJudge } from '@sluice/model';
import { type ObjectKey, objectKey, type Source } from '../schema-object.js';

/** An object that a person can speak of by schema and name. */
export interface FoundObject extends NamedObject {
  /** It holds rows, or reads those of others: never taken along without being selected. */
  readonly isRelation: boolean;
  readonly isSelected: boolean;
}

interface NameRow {
  readonly catalog: string;
  readonly oid: number;
  readonly kind: NamedObject['kind'];
  readonly schema: string;
  readonly name: string;
}

const RELATIONS: readonly NamedObject['kind'][] = ['table', 'view', 'materialized_view'];

/** Everything in a schema that stands for itself (no index, no constraint, no trigger), and whether it is selected by its name. */
export async function readFoundObjects(
  source: Source,
  judge: ObjectJudge,
): Promise<ReadonlyMap<ObjectKey, FoundObject>> {
  const rows = await readNames(source);
  const ancestors = await readAncestors(source.client);
  return new Map(
    rows.map((row) => {
      const { catalog, oid, kind, schema, name } = row;
      const isSelected =
        kind === 'table'
          ? judge.selectsTable({ schema, name, ancestors: ancestors.get(oid) ?? [] })
          : judge.selects(row);
      return [objectKey(catalog, oid), { kind, schema, name, isRelation: RELATIONS.includes(kind), isSelected }];
    }),
  );
}

/** Tested on PostgreSQL 10–18. */
function readNames({ client }: Source): Promise<NameRow[]> {
  return readRows<NameRow>(
    client,
    sql`
    SELECT o.catalog, o.oid::bigint::float8 AS oid, o.kind, n.nspname::text AS schema, o.name::text AS name
    FROM (
      SELECT 'pg_class' AS catalog, c.oid, c.relnamespace AS namespace, c.relname AS name,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
      FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
      UNION ALL
      SELECT 'pg_type', t.oid, t.typnamespace, t.typname, 'type'
      FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE c.oid IS NULL OR c.relkind = 'c'
      UNION ALL SELECT 'pg_proc', p.oid, p.pronamespace, p.proname, 'function' FROM pg_catalog.pg_proc p
      UNION ALL SELECT 'pg_operator', o.oid, o.oprnamespace, o.oprname, 'other' FROM pg_catalog.pg_operator o
      UNION ALL SELECT 'pg_opclass', o.oid, o.opcnamespace, o.opcname, 'other' FROM pg_catalog.pg_opclass o
      UNION ALL SELECT 'pg_opfamily', o.oid, o.opfnamespace, o.opfname, 'other' FROM pg_catalog.pg_opfamily o
      UNION ALL SELECT 'pg_collation', c.oid, c.collnamespace, c.collname, 'other' FROM pg_catalog.pg_collation c
      UNION ALL SELECT 'pg_conversion', c.oid, c.connamespace, c.conname, 'other' FROM pg_catalog.pg_conversion c
      UNION ALL SELECT 'pg_ts_config', t.oid, t.cfgnamespace, t.cfgname, 'other' FROM pg_catalog.pg_ts_config t
      UNION ALL SELECT 'pg_ts_dict', t.oid, t.dictnamespace, t.dictname, 'other' FROM pg_catalog.pg_ts_dict t
      UNION ALL SELECT 'pg_ts_parser', t.oid, t.prsnamespace, t.prsname, 'other' FROM pg_catalog.pg_ts_parser t
      UNION ALL SELECT 'pg_ts_template', t.oid, t.tmplnamespace, t.tmplname, 'other' FROM pg_catalog.pg_ts_template t
    ) o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
    WHERE o.oid >= 16384`,
  );
}
