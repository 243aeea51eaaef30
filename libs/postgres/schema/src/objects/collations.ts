import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface CollationRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly provider: 'b' | 'c' | 'd' | 'i';
  readonly isDeterministic: boolean;
  readonly collate: string | null;
  readonly ctype: string | null;
  readonly locale: string | null;
  readonly rules: string | null;
}

const PROVIDERS = { b: 'builtin', c: 'libc', d: 'default', i: 'icu' } as const;

/** Tested on PostgreSQL 10–18. The locale of ICU moved from collcollate to colliculocale (15) to colllocale (17). */
export async function readCollations({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<CollationRow>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.collname AS name, r.rolname AS owner, c.collprovider AS provider,
      ${since(versionNum, { from: 120_000, use: sql`c.collisdeterministic`, before: sql`true` })} AS "isDeterministic",
      c.collcollate AS collate, c.collctype AS ctype,
      ${since(versionNum, {
        from: 170_000,
        use: sql`c.colllocale`,
        before: since(versionNum, { from: 150_000, use: sql`c.colliculocale`, before: sql`NULL` }),
      })} AS locale,
      ${since(versionNum, { from: 160_000, use: sql`c.collicurules`, before: sql`NULL` })} AS rules
    FROM pg_catalog.pg_collation c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.collowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_collation`, sql`c.oid`)}
    ORDER BY n.nspname, c.collname`,
  );
  return rows.map((row) => {
    const name = quoteQualified(row.schema, row.name);
    return {
      key: objectKey('pg_collation', row.oid),
      kind: 'collation',
      address: `COLLATION ${name}`,
      stage: 'pre',
      sql: `CREATE COLLATION ${name} (${collationOptions(row).join(', ')})`,
      claims: `collation ${name}`,
      owner: row.owner,
    };
  });
}

function collationOptions(row: CollationRow): string[] {
  const locale = row.locale ?? (row.collate === row.ctype ? row.collate : null);
  return [
    `provider = ${PROVIDERS[row.provider]}`,
    ...(row.isDeterministic ? [] : ['deterministic = false']),
    ...(locale === null
      ? [`lc_collate = ${quoteLiteral(row.collate ?? '')}`, `lc_ctype = ${quoteLiteral(row.ctype ?? '')}`]
      : [`locale = ${quoteLiteral(locale)}`]),
    ...(row.rules === null ? [] : [`rules = ${quoteLiteral(row.rules)}`]),
  ];
}
