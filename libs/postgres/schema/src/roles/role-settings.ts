import { readRows, readVersionNum, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';

/** Settings whose value is a list of quoted names: variable_is_guc_list_quote() of pg_dump. */
const LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** Parts of the session that pg_settings does not show; every role may have them set. */
const NOT_SHOWN = ['role', 'session_authorization'];

export interface Setting {
  readonly name: string;
  readonly value: string;
}

export function parseSetting(text: string): Setting {
  const equals = text.indexOf('=');
  return { name: text.slice(0, equals).toLowerCase(), value: text.slice(equals + 1) };
}

/** What follows SET, as pg_dumpall writes it. */
export function assignmentOf({ name, value }: Setting): string {
  const quotedName = name.split('.').map(quoteIdentifier).join('.');
  const written = LISTS.has(name) ? splitList(value).map(quoteLiteral).join(', ') : quoteLiteral(value);
  return `${quotedName} TO ${written}`;
}

/** Names of a list, each perhaps in double quotes. An empty list is one empty name, as SET has no other form for it. */
export function splitList(value: string): string[] {
  const names = [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",]+?))\s*(?:,|$)/gy)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  return names.length === 0 ? [''] : names;
}

/**
 * Which of these settings the session may give to a role. One that the server does not know is taken from a superuser
 * when its name has a dot. Tested on PostgreSQL 10–18.
 */
export async function readSettable(target: ClientBase, names: readonly string[]): Promise<ReadonlySet<string>> {
  const versionNum = await readVersionNum(target);
  const granted = since(versionNum, {
    from: 150_000,
    use: sql`pg_catalog.has_parameter_privilege(asked.name, 'SET')`,
    before: sql`false`,
  });
  const rows = await readRows<{ name: string }>(
    target,
    sql`
    SELECT asked.name
    FROM unnest($1::text[]) AS asked(name)
    LEFT JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = asked.name
    CROSS JOIN (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) account
    WHERE asked.name = ANY ($2::text[])
      OR CASE
        WHEN s.context IN ('user', 'backend') THEN true
        WHEN s.context IN ('superuser', 'superuser-backend') OR s.context IS NULL AND asked.name LIKE '%.%'
          THEN account.rolsuper OR ${granted}
        ELSE false END`,
    [names, NOT_SHOWN],
  );
  return new Set(rows.map(({ name }) => name));
}
