import { notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface LanguageRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly isTrusted: boolean;
  readonly handler: string;
  readonly inline: string | null;
  readonly validator: string | null;
}

/** Languages that no extension brought. Tested on PostgreSQL 10–18. */
export async function readLanguages({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<LanguageRow>(
    client,
    sql`
    SELECT l.oid, l.lanname AS name, r.rolname AS owner, l.lanpltrusted AS "isTrusted",
      l.lanplcallfoid::regproc::text AS handler, nullif(l.laninline::regproc::text, '-') AS inline,
      nullif(l.lanvalidator::regproc::text, '-') AS validator
    FROM pg_catalog.pg_language l JOIN pg_catalog.pg_roles r ON r.oid = l.lanowner
    WHERE l.oid >= 16384 AND ${notExtensionMember(sql`pg_language`, sql`l.oid`)}
    ORDER BY l.lanname`,
  );
  return rows.map((row) => {
    const address = `LANGUAGE ${quoteIdentifier(row.name)}`;
    return {
      key: objectKey('pg_language', row.oid),
      kind: 'language',
      address,
      stage: 'pre',
      sql: [
        `CREATE ${row.isTrusted ? 'TRUSTED ' : ''}${address} HANDLER ${row.handler}`,
        ...(row.inline === null ? [] : [`INLINE ${row.inline}`]),
        ...(row.validator === null ? [] : [`VALIDATOR ${row.validator}`]),
      ].join(' '),
      owner: row.owner,
      needsSuperuser: true,
    };
  });
}

/** Access methods of indexes and, from 12, of tables that no extension brought. Tested on PostgreSQL 10–18. */
export async function readAccessMethods({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const type = since(versionNum, { from: 120_000, use: sql`m.amtype`, before: sql`'i'` });
  const rows = await readRows<{ oid: number; name: string; type: 'i' | 't'; handler: string }>(
    client,
    sql`
    SELECT m.oid, m.amname AS name, ${type} AS type, m.amhandler::regproc::text AS handler
    FROM pg_catalog.pg_am m
    WHERE m.oid >= 16384 AND ${notExtensionMember(sql`pg_am`, sql`m.oid`)}
    ORDER BY m.amname`,
  );
  return rows.map(({ oid, name, type: kind, handler }) => {
    const address = `ACCESS METHOD ${quoteIdentifier(name)}`;
    return {
      key: objectKey('pg_am', oid),
      kind: 'access method',
      address,
      stage: 'pre',
      sql: `CREATE ${address} TYPE ${kind === 't' ? 'TABLE' : 'INDEX'} HANDLER ${handler}`,
      needsSuperuser: true,
    };
  });
}
