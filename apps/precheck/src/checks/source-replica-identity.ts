import { inUserSchema, notExtensionMember, readRows, selectTables, sql } from '@sluice/postgres-catalog';
import { type Client, quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type Check, failed, FOLLOWING, listSome, passed, statements, warning } from '../check.js';

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly isUnlogged: boolean;
  readonly isNothing: boolean;
  /** REPLICA IDENTITY FULL of a table with virtual columns, which cannot be published. */
  readonly isFullRefused: boolean;
  /** A unique index that could identify rows. */
  readonly candidate: string | null;
}

export const sourceReplicaIdentity: Check = {
  id: 'source-replica-identity',
  title: 'Every table tells which row an update or delete means',
  onlyFor: FOLLOWING,
  run: async ({ source, judge }) => {
    const tables = await selectTables(source, await readProblemTables(source), { judge });
    const unlogged = tables.filter(({ isUnlogged }) => isUnlogged);
    const unidentified = tables.filter(({ isUnlogged }) => !isUnlogged);
    if (unidentified.length > 0) {
      const named = unidentified.map((table) => (table.isNothing ? `${label(table)} (NOTHING)` : label(table)));
      return failed({
        evidence: `${unidentified.length} without usable replica identity: ${listSome(named)}`,
        reason:
          'Once such a table is published, the source itself refuses UPDATE and DELETE on it, or, with NOTHING or a generated column in its key, does not say which row they mean.',
        fix: statements(unidentified.map(identityStatement)),
      });
    }
    if (unlogged.length > 0) {
      return warning({
        evidence: `${unlogged.length} unlogged: ${listSome(unlogged.map(label))}`,
        reason: 'Changes of unlogged tables are not in the WAL: they are copied once and not kept up to date.',
        fix: statements(unlogged.map(({ schema, name }) => `ALTER TABLE ${quoteQualified(schema, name)} SET LOGGED;`)),
      });
    }
    return passed('every table has a key or REPLICA IDENTITY FULL');
  },
};

function label({ schema, name }: TableRow): string {
  return `${schema}.${name}`;
}

function identityStatement({ schema, name, candidate, isFullRefused }: TableRow): string {
  if (isFullRefused && candidate === null) {
    return `-- ${quoteQualified(schema, name)} has virtual columns, so that FULL does not help: give it a primary key and REPLICA IDENTITY DEFAULT`;
  }
  const identity = candidate === null ? 'FULL' : `USING INDEX ${quoteIdentifier(candidate)}`;
  return `ALTER TABLE ${quoteQualified(schema, name)} REPLICA IDENTITY ${identity};`;
}

/**
 * For partitioned tables the identity of the leaves counts. Generated columns are published since 18, and only stored
 * ones: before, a key that holds one is not sent whole. Tested on PostgreSQL 10–18.
 */
function readProblemTables(source: Client): Promise<TableRow[]> {
  return readRows<TableRow>(
    source,
    sql`
      WITH generated_column AS (
        SELECT a.attrelid, a.attnum, pg_catalog.to_jsonb(a) ->> 'attgenerated' = 'v' AS is_virtual
        FROM pg_catalog.pg_attribute a
        WHERE NOT a.attisdropped AND coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') <> '' AND a.attnum > 0
      ), unique_index AS (
        SELECT i.indrelid, i.indisprimary, i.indisreplident, i.indnatts, x.relname::text AS name,
          i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[]) AND NOT a.attnotnull) AS identifies
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        WHERE i.indisunique AND i.indimmediate AND i.indisvalid
          AND (current_setting('server_version_num')::int >= 180000 OR NOT EXISTS (
            SELECT FROM generated_column g WHERE g.attrelid = i.indrelid AND g.attnum = ANY (i.indkey::int2[])))
      ), keys AS (
        SELECT u.indrelid, bool_or(u.indisprimary) AS has_primary, bool_or(u.indisreplident) AS has_identity,
          (array_agg(u.name ORDER BY u.indisprimary DESC, u.indnatts, u.name) FILTER (WHERE u.identifies))[1] AS candidate
        FROM unique_index u
        GROUP BY u.indrelid
      )
      SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relpersistence = 'u' AS "isUnlogged",
        c.relreplident = 'n' AS "isNothing", k.candidate, v.attrelid IS NOT NULL AS "isFullRefused"
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN keys k ON k.indrelid = c.oid
      LEFT JOIN (SELECT DISTINCT g.attrelid FROM generated_column g WHERE g.is_virtual) AS v ON v.attrelid = c.oid
      WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u') AND ${inUserSchema}
        AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
        AND (c.relpersistence = 'u' OR c.relreplident = 'n' OR c.relreplident = 'f' AND v.attrelid IS NOT NULL
          OR (c.relreplident <> 'f'
            AND NOT coalesce(CASE c.relreplident WHEN 'i' THEN k.has_identity ELSE k.has_primary END, false)))
      ORDER BY 2, 3`,
  );
}
