import { type ConformanceCase } from '../conformance-case.js';

const ODD_SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: "'SQL, DMY'",
  IntervalStyle: "'sql_standard'",
  TimeZone: "'America/St_Johns'",
  bytea_output: "'escape'",
  extra_float_digits: '-10',
  xmloption: "'document'",
  array_nulls: 'off',
  standard_conforming_strings: 'off',
  escape_string_warning: 'off',
  quote_all_identifiers: 'on',
  transform_null_equals: 'on',
  default_transaction_isolation: "'repeatable read'",
  statement_timeout: "'100s'",
  lock_timeout: "'90s'",
  search_path: "'shadow', 'pg_catalog'",
};

/** On the target others, so that a text of the one side would be another value on the other. */
const ODD_TARGET_SETTINGS: Readonly<Record<string, string>> = {
  ...ODD_SETTINGS,
  DateStyle: "'SQL, MDY'",
  IntervalStyle: "'postgres'",
  TimeZone: "'Asia/Kolkata'",
  default_transaction_isolation: "'serializable'",
};

/** What a database may be set to. */
export function oddSettings(database: string, side: 'source' | 'target'): string {
  return Object.entries(side === 'source' ? ODD_SETTINGS : ODD_TARGET_SETTINGS)
    .map(([name, value]) => `ALTER DATABASE "${database}" SET ${name} = ${value};`)
    .join('\n');
}

/** Values whose text depends on settings, written by sessions that are set differently. */
export const SETTING_CASES: readonly ConformanceCase[] = [
  {
    name: 'sessions and databases with odd settings',
    schemas: ['shadow'],
    setup: `
      CREATE SCHEMA shadow; CREATE TABLE shadow.pg_class (id integer PRIMARY KEY); 
      CREATE FUNCTION shadow.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS $f$ SELECT 'wrong'::text $f$;
      CREATE TABLE t (id integer PRIMARY KEY, ts timestamptz, t timestamp, d date, i interval, f float8, g real, b bytea, m money, x xml, a text[], p point);
      CREATE TABLE f (LIKE t); ALTER TABLE f REPLICA IDENTITY FULL;
      INSERT INTO t SELECT 0, '2024-03-04 05:06:07.123456+00', '2024-03-04 05:06:07', '2024-03-04', '-1 day -02:03:04.5', 0.1::float8 + 0.2, 0.3, '\\x00ff5c27', 12.34::numeric::money, '<a/>', ARRAY[NULL, 'NULL', ''], '(0.1,0.2)';`,
    traffic: ['SQL, MDY', 'German', 'Postgres, DMY', 'ISO'].flatMap((style, index) => [
      `BEGIN; SET LOCAL DateStyle = '${style}'; SET LOCAL IntervalStyle = '${['iso_8601', 'postgres_verbose', 'sql_standard', 'postgres'][index]}';
       SET LOCAL extra_float_digits = ${index - 2}; SET LOCAL bytea_output = '${index % 2 ? 'hex' : 'escape'}'; SET LOCAL TimeZone = '${['Asia/Tokyo', 'UTC', 'America/Caracas', '+05:17'][index]}';
       SET LOCAL xmloption = '${index % 2 ? 'document' : 'content'}';
       INSERT INTO t SELECT ${index + 1}, ts, t, d, i, f, g, b, m, x, a, p FROM t WHERE id = 0; INSERT INTO f SELECT * FROM t WHERE id <= 1;
       UPDATE t SET ts = ts + interval '1 day', f = f * 3, i = i * 2 WHERE id = ${index};
       UPDATE f SET id = ${index + 10} WHERE ctid = (SELECT min(ctid::text)::tid FROM f);
       DELETE FROM f WHERE ctid = (SELECT max(ctid::text)::tid FROM f); COMMIT`,
    ]),
  },
];
