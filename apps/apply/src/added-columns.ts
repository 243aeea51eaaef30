import { SluiceError } from '@sluice/contracts';
import { connect, type Endpoint, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type DdlCaptureOptions, ddlCaptureState } from '@sluice/postgres-ddl';
import { type AddedColumn, type AddedColumns } from '@sluice/postgres-writer';

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly default: string | null;
  readonly missing: string | null;
}

/** PostgreSQL 10–18; to_jsonb gives null for what a version does not have (attmissingval: since 11). */
const COLUMNS = `
  SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
         CASE WHEN a.attcollation <> t.typcollation
           THEN (SELECT pg_catalog.format('%I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation c
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END AS collation,
         pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS "default",
         CASE WHEN (pg_catalog.to_jsonb(a) ->> 'atthasmissing')::boolean
           THEN pg_catalog.to_jsonb(a) #>> '{attmissingval,0}' END AS missing
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::int8::oid AND a.attname = ANY ($2::text[]) AND NOT a.attisdropped`;

/**
 * For a source where DDL may not be captured: says what a column is that a description has and the target has not. Only of
 * one that was added, with or without a constant default, is it known what the rows from before hold.
 */
export function addedColumnsOf(source: Endpoint, capture: DdlCaptureOptions): AddedColumns {
  return async ({ oid, schema, name }, columns) => {
    await using client = await connect(source, { applicationName: 'added columns', settings: { search_path: '' } });
    // Then a column that is missing was left out on purpose, or by hand.
    if ((await ddlCaptureState(client, capture)).isInstalled) return null;
    const { rows } = await client.query<ColumnRow>(COLUMNS, [oid, columns]);
    const found = new Map(rows.map((row) => [row.name, row]));
    return columns.map((column) => {
      const row = found.get(column);
      const where = `table ${schema}.${name}: column ${column}`;
      if (!row) throw differs(`${where} is not on the source any more`);
      if (row.default !== null && row.missing === null)
        throw differs(`${where} has a default that may not be that of the rows from before`);
      return definitionOf(row);
    });
  };
}

function definitionOf(row: ColumnRow): AddedColumn {
  const collation = row.collation === null ? '' : ` COLLATE ${row.collation}`;
  const missing = row.missing === null ? '' : ` DEFAULT ${quoteLiteral(row.missing)}::${row.type}`;
  return {
    definition: `${quoteIdentifier(row.name)} ${row.type}${collation}${missing}`,
    // The rows from before hold what was the default then.
    defaultAfterwards: { column: row.name, expression: row.default },
  };
}

function differs(detail: string): SluiceError {
  return new SluiceError('SLUICE-5006', { detail });
}
