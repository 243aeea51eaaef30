import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { commands, objectKey, type SchemaObject, type Source, storageOptions } from '../schema-object.js';
import { columnSettings } from './column-definition.js';
import { type ColumnRow, readColumns } from './columns.js';

interface ViewRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isMaterialized: boolean;
  readonly isPopulated: boolean;
  readonly options: readonly string[] | null;
  readonly toastOptions: readonly string[] | null;
  readonly accessMethod: string | null;
  readonly definition: string;
}

/** Views and materialized views, the latter empty; their rows come with a REFRESH after everything else. */
export async function readViews(source: Source): Promise<SchemaObject[]> {
  const rows = await readViewRows(source);
  const columns = await readColumns(
    source,
    rows.map(({ oid }) => oid),
  );
  return rows.flatMap((row) => {
    const own = columns.get(row.oid) ?? [];
    return row.isMaterialized ? [toMaterializedView(row, own)] : [toView(row, own), ...toDefaults(row, own)];
  });
}

/** Tested on PostgreSQL 10–18. */
function readViewRows({ client, versionNum }: Source): Promise<ViewRow[]> {
  const accessMethod = since(versionNum, {
    from: 120_000,
    use: sql`(SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap')`,
    before: sql`NULL`,
  });
  return readRows<ViewRow>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name, r.rolname AS owner, c.relkind = 'm' AS "isMaterialized",
      c.relispopulated AS "isPopulated", c.reloptions AS options, toast.reloptions AS "toastOptions", ${accessMethod} AS "accessMethod",
      pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') AS definition
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
    LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
    WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname`,
  );
}

function toView(row: ViewRow, columns: readonly ColumnRow[]): SchemaObject {
  const name = quoteQualified(row.schema, row.name);
  const options = storageOptions(row.options);
  const nulls = columns.map((column) => {
    const collation = column.collation === null ? '' : ` COLLATE ${column.collation}`;
    return `NULL::${column.type}${collation} AS ${quoteIdentifier(column.name)}`;
  });
  return {
    key: objectKey('pg_class', row.oid),
    kind: 'view',
    address: `VIEW ${name}`,
    stage: 'pre',
    // OR REPLACE, because a view in a cycle exists already, as its stub. Collisions are found before.
    sql: `CREATE OR REPLACE VIEW ${name}${options.length > 0 ? ` WITH (${options.join(', ')})` : ''} AS\n${row.definition}`,
    stub: `CREATE VIEW ${name} AS SELECT ${nulls.join(', ')}`,
    claims: `relation ${name}`,
    owner: row.owner,
  };
}

/** Defaults of a view's columns, for INSERT through it. */
function toDefaults(row: ViewRow, columns: readonly ColumnRow[]): SchemaObject[] {
  const name = quoteQualified(row.schema, row.name);
  return columns.flatMap((column) =>
    column.default === null || column.defaultOid === null
      ? []
      : [
          {
            key: objectKey('pg_attrdef', column.defaultOid),
            kind: 'default',
            address: `COLUMN ${name}.${quoteIdentifier(column.name)}`,
            stage: 'pre' as const,
            sql: `ALTER VIEW ${name} ALTER COLUMN ${quoteIdentifier(column.name)} SET DEFAULT ${column.default}`,
          },
        ],
  );
}

function toMaterializedView(row: ViewRow, columns: readonly ColumnRow[]): SchemaObject {
  const name = quoteQualified(row.schema, row.name);
  const options = [...storageOptions(row.options), ...storageOptions(row.toastOptions, 'toast.')];
  const settings = columns.flatMap((column) => columnSettings(column));
  return {
    key: objectKey('pg_class', row.oid),
    kind: row.isPopulated ? 'materialized view' : 'unpopulated materialized view',
    address: `MATERIALIZED VIEW ${name}`,
    stage: 'pre',
    sql: commands(
      `CREATE MATERIALIZED VIEW ${name}` +
        (row.accessMethod === null ? '' : ` USING ${quoteIdentifier(row.accessMethod)}`) +
        (options.length > 0 ? ` WITH (${options.join(', ')})` : '') +
        ` AS\n${row.definition}\nWITH NO DATA`,
      settings.length > 0 && `ALTER MATERIALIZED VIEW ${name}\n  ${settings.join(',\n  ')}`,
    ),
    claims: `relation ${name}`,
    owner: row.owner,
  };
}
