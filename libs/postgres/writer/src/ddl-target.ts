import { type DdlTableFacts } from '@sluice/postgres-ddl';
import { type Client, quoteQualified } from '@sluice/postgres-client';

interface Name {
  readonly schema: string;
  readonly name: string;
}

/** Whether the target has a table of this name that stores rows itself. */
async function tableExists(target: Client, { schema, name }: Name): Promise<boolean> {
  const { rows } = await target.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'`,
    [schema, name],
  );
  return rows.length > 0;
}

/** Empties a table whose rows will be copied anew; one that does not exist is left to whoever needs it. @returns whether there is one. */
export async function emptyTable(target: Client, table: Name): Promise<boolean> {
  if (!(await tableExists(target, table))) return false;
  const relation = quoteQualified(table.schema, table.name);
  const { rows } = await target.query<{ referenced: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint
                    WHERE contype = 'f' AND confrelid = $1::regclass AND conrelid <> confrelid) AS referenced`,
    [relation],
  );
  // A table that others refer to cannot be truncated without them; their triggers do not fire for us.
  await target.query(rows[0]?.referenced === true ? `DELETE FROM ONLY ${relation}` : `TRUNCATE ONLY ${relation}`);
  return true;
}

const COLUMNS = `
  SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
         coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') AS generated
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped`;

/** What a table lacks of what it is on the source; `null` when nothing. The session's search_path is empty, so that types have their schema. */
export async function findDifference(target: Client, table: DdlTableFacts): Promise<string | null> {
  const { rows } = await target.query<{ name: string; type: string; generated: string }>(COLUMNS, [
    table.schema,
    table.name,
  ]);
  const found = new Map(rows.map((row) => [row.name, row]));
  for (const { name, type, generated } of table.columns) {
    const column = found.get(name);
    const where = `column ${name} of ${table.schema}.${table.name}`;
    if (!column) return `${where} is missing on the target after it`;
    if (column.type !== type)
      return `${where} is of type ${column.type} on the target after it, on the source of ${type}`;
    if (column.generated !== generated) return `${where} is generated on one side only after it`;
  }
  return null;
}

export async function readExistingRoles(target: Client, roles: readonly string[]): Promise<ReadonlySet<string>> {
  if (roles.length === 0) return new Set();
  const { rows } = await target.query<{ name: string }>(
    'SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::text[])',
    [roles],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Runs `work` with other settings, and gives back those from before; a setting that this version does not know is left out. */
export async function withSettings<T>(
  target: Client,
  settings: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const { rows } = await target.query<{ name: string; value: string }>(
    `SELECT name, pg_catalog.current_setting(name, true) AS value FROM unnest($1::text[]) AS name
     WHERE pg_catalog.current_setting(name, true) IS NOT NULL`,
    [Object.keys(settings)],
  );
  const set = (values: readonly string[]): Promise<unknown> =>
    target.query(
      `SELECT pg_catalog.set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS s (name, value)`,
      [rows.map(({ name }) => name), values],
    );
  await set(rows.map(({ name }) => settings[name] ?? ''));
  const result = await work();
  // After a failure the transaction is rolled back, and the settings with it.
  await set(rows.map(({ value }) => value));
  return result;
}
