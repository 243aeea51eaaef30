import { inUserSchema, notExtensionMember, readRows, since, sql, type Sql } from '@sluice/postgres-catalog';
import { quoteQualified } from '@sluice/postgres-client';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface TextSearchRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string | null;
  /** What stands in the parentheses of CREATE TEXT SEARCH …. */
  readonly options: string;
  /** Configurations: `token WITH dictionaries`. */
  readonly mappings?: readonly string[];
}

/** Parsers, templates, dictionaries and configurations. */
export async function readTextSearch(source: Source): Promise<SchemaObject[]> {
  const [parsers, templates, dictionaries, configurations] = [
    await readKind(source, parsersQuery()),
    await readKind(source, templatesQuery()),
    await readKind(source, dictionariesQuery(source)),
    await readKind(source, configurationsQuery()),
  ];
  return [
    ...parsers.map((row) => toObject('pg_ts_parser', 'parser', row)),
    ...templates.map((row) => toObject('pg_ts_template', 'template', row)),
    ...dictionaries.map((row) => toObject('pg_ts_dict', 'dictionary', row)),
    ...configurations.map((row) => toObject('pg_ts_config', 'configuration', row)),
  ];
}

function toObject(catalog: string, kind: string, row: TextSearchRow): SchemaObject {
  const address = `TEXT SEARCH ${kind.toUpperCase()} ${quoteQualified(row.schema, row.name)}`;
  return {
    key: objectKey(catalog, row.oid),
    kind: `text search ${kind}`,
    address,
    stage: 'pre',
    sql: commands(
      `CREATE ${address} (${row.options})`,
      ...(row.mappings ?? []).map((mapping) => `ALTER ${address} ADD MAPPING FOR ${mapping}`),
    ),
    ...(row.owner !== null && { owner: row.owner }),
    // Parsers and templates are functions that get the server's own memory; they have no owner.
    needsSuperuser: row.owner === null,
  };
}

function readKind({ client }: Source, query: Sql): Promise<TextSearchRow[]> {
  return readRows<TextSearchRow>(client, query);
}

/** Tested on PostgreSQL 10–18. */
function parsersQuery(): Sql {
  return sql`
    SELECT p.oid, n.nspname AS schema, p.prsname AS name, NULL AS owner,
      pg_catalog.format('START = %s, GETTOKEN = %s, END = %s, LEXTYPES = %s', p.prsstart, p.prstoken, p.prsend, p.prslextype)
      || CASE WHEN p.prsheadline <> 0 THEN ', HEADLINE = ' || p.prsheadline::regproc::text ELSE '' END AS options
    FROM pg_catalog.pg_ts_parser p JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_ts_parser`, sql`p.oid`)}
    ORDER BY n.nspname, p.prsname`;
}

/** Tested on PostgreSQL 10–18. */
function templatesQuery(): Sql {
  return sql`
    SELECT t.oid, n.nspname AS schema, t.tmplname AS name, NULL AS owner,
      CASE WHEN t.tmplinit <> 0 THEN 'INIT = ' || t.tmplinit::regproc::text || ', ' ELSE '' END
      || 'LEXIZE = ' || t.tmpllexize::regproc::text AS options
    FROM pg_catalog.pg_ts_template t JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_ts_template`, sql`t.oid`)}
    ORDER BY n.nspname, t.tmplname`;
}

/**
 * Tested on PostgreSQL 10–18. dictinitoption is kept in the very form that CREATE takes. Before 13 every value in it is
 * quoted, and no server takes a quoted number for a Boolean.
 */
function dictionariesQuery({ versionNum }: Source): Sql {
  const options = since(versionNum, {
    from: 130_000,
    use: sql`d.dictinitoption`,
    before: sql`pg_catalog.regexp_replace(d.dictinitoption, '= ''(-?[0-9]+)''(?=,|$)', '= \\1', 'g')`,
  });
  return sql`
    SELECT d.oid, n.nspname AS schema, d.dictname AS name, r.rolname AS owner,
      pg_catalog.format('TEMPLATE = %I.%I', tn.nspname, t.tmplname) || coalesce(', ' || ${options}, '') AS options
    FROM pg_catalog.pg_ts_dict d
    JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.tmplnamespace
    JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = d.dictowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_ts_dict`, sql`d.oid`)}
    ORDER BY n.nspname, d.dictname`;
}

/** Tested on PostgreSQL 10–18. regdictionary prints a qualified name under an empty search_path. */
function configurationsQuery(): Sql {
  return sql`
    SELECT c.oid, n.nspname AS schema, c.cfgname AS name, r.rolname AS owner,
      pg_catalog.format('PARSER = %I.%I', pn.nspname, p.prsname) AS options,
      ARRAY(
        SELECT pg_catalog.quote_ident((SELECT t.alias FROM pg_catalog.ts_token_type(c.cfgparser) t WHERE t.tokid = m.maptokentype))
          || ' WITH ' || pg_catalog.string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno)
        FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = c.oid
        GROUP BY m.maptokentype ORDER BY m.maptokentype) AS mappings
    FROM pg_catalog.pg_ts_config c
    JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
    JOIN pg_catalog.pg_namespace pn ON pn.oid = p.prsnamespace
    JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.cfgowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_ts_config`, sql`c.oid`)}
    ORDER BY n.nspname, c.cfgname`;
}
