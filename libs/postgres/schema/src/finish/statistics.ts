import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteQualified } from '@sluice/postgres-client';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface StatisticsRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly table: string;
  readonly tableOid: number;
  readonly tableSchema: string;
  readonly definition: string;
  readonly target: number | null;
}

/** Tested on PostgreSQL 10–18. The target exists from 13; by default it is -1, and NULL from 17. */
export async function readStatistics({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const target = since(versionNum, { from: 130_000, use: sql`nullif(s.stxstattarget, -1)`, before: sql`NULL::int` });
  const rows = await readRows<StatisticsRow>(
    client,
    sql`
    SELECT s.oid, n.nspname AS schema, s.stxname AS name, r.rolname AS owner, c.relname AS table, c.oid AS "tableOid",
      tn.nspname AS "tableSchema", pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition, ${target} AS target
    FROM pg_catalog.pg_statistic_ext s
    JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = c.relnamespace
    JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = s.stxowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_statistic_ext`, sql`s.oid`)}
    ORDER BY n.nspname, s.stxname`,
  );
  return rows.map((row) => {
    const name = quoteQualified(row.schema, row.name);
    return {
      key: objectKey('pg_statistic_ext', row.oid),
      kind: 'statistics',
      address: `STATISTICS ${name}`,
      stage: 'setting',
      phase: 'other',
      sql: commands(row.definition, row.target !== null && `ALTER STATISTICS ${name} SET STATISTICS ${row.target}`),
      table: { schema: row.tableSchema, name: row.table },
      owner: row.owner,
      needs: [objectKey('pg_class', row.tableOid)],
    };
  });
}
