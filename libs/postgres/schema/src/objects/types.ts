import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';
import { readBaseTypes } from './base-types.js';
import { readDomains } from './domains.js';

interface TypeName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
}

/** All types but the row types of tables and the arrays, which come with what they belong to. */
export async function readTypes(source: Source): Promise<SchemaObject[]> {
  return [
    ...(await readEnums(source)),
    ...(await readComposites(source)),
    ...(await readRanges(source)),
    ...(await readDomains(source)),
    ...(await readBaseTypes(source)),
  ];
}

/** Tested on PostgreSQL 10–18. */
async function readEnums({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<TypeName & { labels: readonly string[] }>(
    client,
    sql`
    SELECT t.oid, n.nspname AS schema, t.typname AS name, r.rolname AS owner,
      ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner
    WHERE t.typtype = 'e' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_type`, sql`t.oid`)}
    ORDER BY n.nspname, t.typname`,
  );
  return rows.map((row) => toType(row, `AS ENUM (${row.labels.map(quoteLiteral).join(', ')})`));
}

/** Tested on PostgreSQL 10–18. */
async function readComposites({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<TypeName & { attributes: readonly string[] }>(
    client,
    sql`
    SELECT t.oid, n.nspname AS schema, t.typname AS name, r.rolname AS owner,
      ARRAY(
        SELECT pg_catalog.format('%I %s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attcollation NOT IN (0, at.typcollation) THEN (
            SELECT pg_catalog.format(' COLLATE %I.%I', cn.nspname, c.collname)
            FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace
            WHERE c.oid = a.attcollation) ELSE '' END)
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type at ON at.oid = a.atttypid
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum) AS attributes
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner
    WHERE t.typtype = 'c' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_type`, sql`t.oid`)}
    ORDER BY n.nspname, t.typname`,
  );
  return rows.map((row) => toType(row, `AS (\n  ${row.attributes.join(',\n  ')}\n)`));
}

interface RangeRow extends TypeName {
  readonly subtype: string;
  readonly operatorClass: string;
  readonly collation: string | null;
  readonly canonical: string | null;
  readonly difference: string | null;
  readonly multirangeName: string | null;
}

/** Tested on PostgreSQL 10–18. Multiranges exist from 14. */
async function readRanges({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const multirange = since(versionNum, {
    from: 140_000,
    use: sql`(SELECT pg_catalog.format('%I.%I', mn.nspname, m.typname)
      FROM pg_catalog.pg_type m JOIN pg_catalog.pg_namespace mn ON mn.oid = m.typnamespace WHERE m.oid = rg.rngmultitypid)`,
    before: sql`NULL`,
  });
  const rows = await readRows<RangeRow>(
    client,
    sql`
    SELECT t.oid, n.nspname AS schema, t.typname AS name, r.rolname AS owner,
      pg_catalog.format_type(rg.rngsubtype, NULL) AS subtype,
      (SELECT pg_catalog.format('%I.%I', o.nspname, c.opcname)
       FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_namespace o ON o.oid = c.opcnamespace
       WHERE c.oid = rg.rngsubopc) AS "operatorClass",
      (SELECT pg_catalog.format('%I.%I', o.nspname, c.collname)
       FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace o ON o.oid = c.collnamespace
       WHERE c.oid = rg.rngcollation AND rg.rngcollation <> st.typcollation) AS collation,
      nullif(rg.rngcanonical::regproc::text, '-') AS canonical,
      nullif(rg.rngsubdiff::regproc::text, '-') AS difference,
      ${multirange} AS "multirangeName"
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_range rg ON rg.rngtypid = t.oid
    JOIN pg_catalog.pg_type st ON st.oid = rg.rngsubtype
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_type`, sql`t.oid`)}
    ORDER BY n.nspname, t.typname`,
  );
  return rows.map((row) => {
    const options = [
      `SUBTYPE = ${row.subtype}`,
      `SUBTYPE_OPCLASS = ${row.operatorClass}`,
      ...(row.collation === null ? [] : [`COLLATION = ${row.collation}`]),
      ...(row.canonical === null ? [] : [`CANONICAL = ${row.canonical}`]),
      ...(row.difference === null ? [] : [`SUBTYPE_DIFF = ${row.difference}`]),
      ...(row.multirangeName === null ? [] : [`MULTIRANGE_TYPE_NAME = ${row.multirangeName}`]),
    ];
    const type = toType(row, `AS RANGE (\n  ${options.join(',\n  ')}\n)`);
    // A canonical function takes and returns the range, so the range must be there in name before it.
    return row.canonical === null ? type : { ...type, stub: `CREATE TYPE ${quoteQualified(row.schema, row.name)}` };
  });
}

/** A type whose definition follows its name. */
function toType({ oid, schema, name, owner }: TypeName, definition: string): SchemaObject {
  const qualified = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  return {
    key: objectKey('pg_type', oid),
    kind: 'type',
    address: `TYPE ${qualified}`,
    stage: 'pre',
    sql: `CREATE TYPE ${qualified} ${definition}`,
    claims: `type ${qualified}`,
    owner,
  };
}
