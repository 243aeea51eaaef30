import { type ClientBase, type QueryResultRow } from 'pg';

/** A query or a piece of one. Only other pieces can be embedded; values always travel as parameters. */
export interface Sql {
  readonly text: string;
}

export function sql(strings: TemplateStringsArray, ...pieces: readonly Sql[]): Sql {
  return { text: strings.reduce((text, part, index) => text + (pieces[index - 1]?.text ?? '') + part) };
}

/** The piece of a query that a server of this version understands. */
export function since(
  versionNum: number,
  cases: { readonly from: number; readonly use: Sql; readonly before: Sql },
): Sql {
  return versionNum >= cases.from ? cases.use : cases.before;
}

export async function readRows<Row extends QueryResultRow>(
  client: ClientBase,
  query: Sql,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const result = await client.query<Row>(query.text, [...values]);
  return result.rows;
}

/** `server_version_num`, e.g. 150017. */
export async function readVersionNum(client: ClientBase): Promise<number> {
  const rows = await readRows<{ versionNum: number }>(
    client,
    sql`SELECT pg_catalog.current_setting('server_version_num')::int AS "versionNum"`,
  );
  return rows[0]?.versionNum ?? 0;
}
