import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface ConversionRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isDefault: boolean;
  readonly from: string;
  readonly to: string;
  readonly function: string;
}

/** Tested on PostgreSQL 10–18. */
export async function readConversions({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<ConversionRow>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.conname AS name, r.rolname AS owner, c.condefault AS "isDefault",
      pg_catalog.pg_encoding_to_char(c.conforencoding) AS from, pg_catalog.pg_encoding_to_char(c.contoencoding) AS to,
      c.conproc::regproc::text AS function
    FROM pg_catalog.pg_conversion c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.conowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_conversion`, sql`c.oid`)}
    ORDER BY n.nspname, c.conname`,
  );
  return rows.map((row) => {
    const address = `CONVERSION ${quoteQualified(row.schema, row.name)}`;
    return {
      key: objectKey('pg_conversion', row.oid),
      kind: 'conversion',
      address,
      stage: 'pre',
      sql:
        `CREATE ${row.isDefault ? 'DEFAULT ' : ''}${address} ` +
        `FOR ${quoteLiteral(row.from)} TO ${quoteLiteral(row.to)} FROM ${row.function}`,
      owner: row.owner,
    };
  });
}

/** Tested on PostgreSQL 10–18. */
export async function readTransforms({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<{ oid: number; type: string; language: string; from: string | null; to: string | null }>(
    client,
    sql`
    SELECT t.oid, pg_catalog.format_type(t.trftype, NULL) AS type, l.lanname AS language,
      CASE WHEN t.trffromsql <> 0 THEN t.trffromsql::regprocedure::text END AS from,
      CASE WHEN t.trftosql <> 0 THEN t.trftosql::regprocedure::text END AS to
    FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang
    WHERE ${notExtensionMember(sql`pg_transform`, sql`t.oid`)}
    ORDER BY type, language`,
  );
  return rows.map(({ oid, type, language, from, to }) => {
    const address = `TRANSFORM FOR ${type} LANGUAGE ${quoteIdentifier(language)}`;
    const functions = [
      ...(from === null ? [] : [`FROM SQL WITH FUNCTION ${from}`]),
      ...(to === null ? [] : [`TO SQL WITH FUNCTION ${to}`]),
    ];
    return {
      key: objectKey('pg_transform', oid),
      kind: 'transform',
      address,
      stage: 'pre',
      sql: `CREATE ${address} (${functions.join(', ')})`,
    };
  });
}
