import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface BaseTypeRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isDefined: boolean;
  /** Support functions by their option, qualified; those not set are left out. */
  readonly functions: Readonly<Record<string, string>>;
  readonly length: number;
  readonly byValue: boolean;
  readonly alignment: 'c' | 'd' | 'i' | 's';
  readonly storage: 'e' | 'm' | 'p' | 'x';
  readonly category: string;
  readonly isPreferred: boolean;
  readonly default: string | null;
  readonly element: string | null;
  readonly delimiter: string;
  readonly isCollatable: boolean;
}

const ALIGNMENT = { c: 'char', d: 'double', i: 'int4', s: 'int2' } as const;
const STORAGE = { e: 'external', m: 'main', p: 'plain', x: 'extended' } as const;

/** Scalar types with input and output functions of their own, and types that exist in name only. */
export async function readBaseTypes(source: Source): Promise<SchemaObject[]> {
  const rows = await readBaseTypeRows(source);
  return rows.map((row) => {
    const name = quoteQualified(row.schema, row.name);
    const shell = `CREATE TYPE ${name}`;
    return {
      key: objectKey('pg_type', row.oid),
      kind: 'type',
      address: `TYPE ${name}`,
      stage: 'pre',
      sql: row.isDefined ? `${shell} (\n  ${baseTypeOptions(row).join(',\n  ')}\n)` : shell,
      ...(row.isDefined && { stub: shell }),
      claims: `type ${name}`,
      owner: row.owner,
      needsSuperuser: true,
    };
  });
}

function baseTypeOptions(row: BaseTypeRow): string[] {
  return [
    ...Object.entries(row.functions).map(([option, name]) => `${option} = ${name}`),
    `INTERNALLENGTH = ${row.length === -1 ? 'VARIABLE' : row.length}`,
    ...(row.byValue ? ['PASSEDBYVALUE'] : []),
    `ALIGNMENT = ${ALIGNMENT[row.alignment]}`,
    `STORAGE = ${STORAGE[row.storage]}`,
    `CATEGORY = ${quoteLiteral(row.category)}`,
    `PREFERRED = ${row.isPreferred}`,
    ...(row.default === null ? [] : [`DEFAULT = ${quoteLiteral(row.default)}`]),
    ...(row.element === null ? [] : [`ELEMENT = ${row.element}`]),
    `DELIMITER = ${quoteLiteral(row.delimiter)}`,
    ...(row.isCollatable ? ['COLLATABLE = true'] : []),
  ];
}

/** Tested on PostgreSQL 10–18. SUBSCRIPT exists from 14. */
function readBaseTypeRows({ client, versionNum }: Source): Promise<BaseTypeRow[]> {
  const subscript = since(versionNum, {
    from: 140_000,
    use: sql`, 'SUBSCRIPT', nullif(t.typsubscript::regproc::text, '-')`,
    before: sql``,
  });
  return readRows<BaseTypeRow>(
    client,
    sql`
    SELECT t.oid, n.nspname AS schema, t.typname AS name, r.rolname AS owner, t.typisdefined AS "isDefined",
      pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
        'INPUT', nullif(t.typinput::regproc::text, '-'), 'OUTPUT', nullif(t.typoutput::regproc::text, '-'),
        'RECEIVE', nullif(t.typreceive::regproc::text, '-'), 'SEND', nullif(t.typsend::regproc::text, '-'),
        'TYPMOD_IN', nullif(t.typmodin::regproc::text, '-'), 'TYPMOD_OUT', nullif(t.typmodout::regproc::text, '-'),
        'ANALYZE', nullif(t.typanalyze::regproc::text, '-')${subscript})) AS functions,
      t.typlen AS length, t.typbyval AS "byValue", t.typalign AS alignment, t.typstorage AS storage,
      t.typcategory AS category, t.typispreferred AS "isPreferred", t.typdefault AS default,
      CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END AS element,
      t.typdelim AS delimiter, t.typcollation <> 0 AS "isCollatable"
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner
    WHERE (t.typtype = 'b' OR (t.typtype = 'p' AND NOT t.typisdefined))
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
      AND ${inUserSchema} AND ${notExtensionMember(sql`pg_type`, sql`t.oid`)}
    ORDER BY n.nspname, t.typname`,
  );
}
