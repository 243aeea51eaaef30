import { type Client, quoteIdentifier } from '@sluice/postgres-client';
import { type TestDatabase } from './test-database.js';

/**
 * Everything that a database's catalogues say of what people made in it, as sorted lines in which names stand for OIDs.
 * Two databases of the same major with the same structure give the same lines. It knows no kind of object by itself:
 * what a column of a catalogue refers to, the server tells. PostgreSQL 14 and later.
 */
export async function catalogueOf(database: TestDatabase): Promise<string[]> {
  const client = await database.connect({ search_path: '' });
  const references = await readReferences(client);
  const names = await readNames(client, [
    ...new Set([...references.values()].flatMap((columns) => [...columns.values()])),
  ]);
  const lines: string[] = [];
  for (const catalogue of CATALOGUES) {
    const { rows } = await client.query<{ row: Record<string, unknown> }>(await queryOf(client, catalogue));
    const columns = references.get(catalogue.name) ?? new Map<string, string>();
    for (const { row } of rows) lines.push(`${catalogue.name} ${toLine(row, columns, names)}`);
  }
  for (const query of MORE_LINES) {
    const { rows } = await client.query<{ line: string }>(query);
    lines.push(...rows.map(({ line }) => line));
  }
  await client.end();
  return lines.filter((line) => !/\bpg_temp_\d/.test(line)).sort();
}

interface Catalogue {
  readonly name: string;
  /** What tells rows of people from those of initdb; default: its OID. */
  readonly where?: string;
  /** What the server prints, in place of the trees and numbers of columns that are left out. */
  readonly definition?: string;
  readonly without?: readonly string[];
}

/** Made by initdb below; relations of TOAST are named by OIDs. */
const OF_PEOPLE = 't.oid >= 16384';
const ofRelation = (column: string): string =>
  `t.${column} >= 16384 AND (SELECT c.relnamespace <> 'pg_toast'::regnamespace FROM pg_class c WHERE c.oid = t.${column})`;

const CATALOGUES: readonly Catalogue[] = [
  { name: 'pg_namespace', where: `t.nspname !~ '^pg_' AND t.nspname <> 'information_schema'` },
  {
    name: 'pg_class',
    where: `t.oid >= 16384 AND t.relnamespace <> 'pg_toast'::regnamespace`,
    definition: 'pg_get_expr(t.relpartbound, t.oid)',
    without: [
      ...['relfilenode', 'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid'],
      // Kept lazily, or counting what was dropped.
      ...['relhasindex', 'relhasrules', 'relhastriggers', 'relhassubclass', 'relrewrite', 'relnatts', 'reltoastrelid'],
    ],
  },
  {
    name: 'pg_attribute',
    where: `${ofRelation('attrelid')} AND t.attnum > 0 AND NOT t.attisdropped`,
    // Numbers have gaps where columns were dropped.
    definition: `(SELECT count(*) FROM pg_attribute b WHERE b.attrelid = t.attrelid AND b.attnum BETWEEN 1 AND t.attnum AND NOT b.attisdropped)`,
    // The number of dimensions is kept for nobody and printed by nobody.
    without: ['attnum', 'attcacheoff', 'attndims', 'atthasmissing', 'attmissingval'],
  },
  { name: 'pg_attrdef', definition: 'pg_get_expr(t.adbin, t.adrelid)', without: ['adnum'] },
  {
    name: 'pg_constraint',
    // Those that partitions get from the foreign key of their parent have names that the server makes up.
    where: `${OF_PEOPLE} AND NOT (t.contype = 'f' AND t.conparentid <> 0)`,
    // A partition that was attached keeps its NOT NULL as its own.
    definition: `ARRAY[pg_get_constraintdef(t.oid), (t.conislocal AND NOT (t.contype = 'n'
      AND coalesce((SELECT c.relispartition FROM pg_class c WHERE c.oid = t.conrelid), false)))::text]`,
    // The key of a partition that was attached is kept as not inherited; of checks the definition tells. Of several
    // indexes that a foreign key could lean on, the server takes any.
    without: ['conkey', 'confkey', 'confdelsetcols', 'connoinherit', 'conindid', 'conislocal'],
  },
  {
    name: 'pg_index',
    where: ofRelation('indexrelid'),
    definition: 'pg_get_indexdef(t.indexrelid)',
    without: ['indkey', 'indcheckxmin'],
  },
  { name: 'pg_inherits', where: 't.inhrelid >= 16384' },
  {
    name: 'pg_partitioned_table',
    where: 't.partrelid >= 16384',
    definition: 'pg_get_partkeydef(t.partrelid)',
    without: ['partattrs'],
  },
  { name: 'pg_sequence', where: 't.seqrelid >= 16384' },
  {
    name: 'pg_type',
    where: `t.oid >= 16384 AND t.typnamespace <> 'pg_toast'::regnamespace`,
    definition: 'pg_get_expr(t.typdefaultbin, 0)',
  },
  {
    name: 'pg_enum',
    where: 't.enumtypid >= 16384',
    definition: 'rank() OVER (PARTITION BY t.enumtypid ORDER BY t.enumsortorder)',
    without: ['enumsortorder'],
  },
  { name: 'pg_range', where: 't.rngtypid >= 16384' },
  {
    name: 'pg_proc',
    definition: `CASE WHEN t.prokind <> 'a' THEN pg_get_functiondef(t.oid) ELSE pg_get_function_arguments(t.oid) END`,
  },
  { name: 'pg_aggregate', where: 't.aggfnoid::oid >= 16384' },
  { name: 'pg_operator' },
  { name: 'pg_opfamily' },
  { name: 'pg_opclass' },
  { name: 'pg_amop' },
  { name: 'pg_amproc' },
  { name: 'pg_am' },
  { name: 'pg_cast' },
  { name: 'pg_collation', without: ['collversion', 'collencoding'] },
  { name: 'pg_conversion' },
  { name: 'pg_language' },
  { name: 'pg_transform' },
  { name: 'pg_ts_parser' },
  { name: 'pg_ts_template' },
  { name: 'pg_ts_dict' },
  { name: 'pg_ts_config' },
  { name: 'pg_ts_config_map', where: 't.mapcfg >= 16384' },
  {
    name: 'pg_trigger',
    where: `${OF_PEOPLE} AND NOT t.tgisinternal`,
    definition: 'pg_get_triggerdef(t.oid)',
    without: ['tgattr'],
  },
  { name: 'pg_event_trigger' },
  { name: 'pg_rewrite', definition: 'pg_get_ruledef(t.oid)' },
  {
    name: 'pg_policy',
    definition: 'ARRAY[pg_get_expr(t.polqual, t.polrelid), pg_get_expr(t.polwithcheck, t.polrelid)]',
  },
  { name: 'pg_statistic_ext', definition: 'pg_get_statisticsobjdef(t.oid)', without: ['stxkeys'] },
  { name: 'pg_extension' },
  { name: 'pg_default_acl' },
];

/** What is said of objects elsewhere: comments, owners of sequences, what goes with an extension, rights on what initdb made. */
const MORE_LINES = [
  `SELECT 'comment on ' || i.type || ' ' || i.identity || ': ' || d.description AS line
   FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
   WHERE d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass`,
  `SELECT 'dependency ' || d.deptype::text || ' of ' || a.identity || ' on ' || b.identity AS line
   FROM pg_depend d, pg_identify_object(d.classid, d.objid, d.objsubid) a, pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) b
   WHERE d.objid >= 16384 AND (d.deptype = 'x' OR d.deptype IN ('a', 'i')
     AND d.classid = 'pg_class'::regclass AND d.objid IN (SELECT c.oid FROM pg_class c WHERE c.relkind = 'S'))`,
  ...[
    ['pg_proc', 'proacl'],
    ['pg_class', 'relacl'],
    ['pg_language', 'lanacl'],
    ['pg_type', 'typacl'],
  ].map(
    ([catalogue, acl]) => `SELECT 'privileges of ' || i.identity || ': ' || t.${acl}::text AS line
       FROM ${catalogue} t, pg_identify_object('${catalogue}'::regclass, t.oid, 0) i WHERE t.oid < 16384 AND t.${acl} IS NOT NULL`,
  ),
  `SELECT 'privileges of column ' || i.identity || ': ' || a.attacl::text AS line
   FROM pg_attribute a, pg_identify_object('pg_class'::regclass, a.attrelid, a.attnum) i WHERE a.attrelid < 16384 AND a.attacl IS NOT NULL`,
];

/** Column → catalogue that it refers to by OID, by catalogue. */
async function readReferences(client: Client): Promise<Map<string, Map<string, string>>> {
  const { rows } = await client.query<{ from: string; column: string; to: string }>(
    `SELECT fktable::text AS "from", fkcols[1] AS "column", pktable::text AS "to"
     FROM pg_get_catalog_foreign_keys() WHERE cardinality(fkcols) = 1`,
  );
  const references = new Map<string, Map<string, string>>();
  for (const { from, column, to } of rows) {
    const columns = references.get(from) ?? new Map<string, string>();
    references.set(from, columns.set(column, to));
  }
  return references;
}

/** What people call the objects of each catalogue, by OID. */
async function readNames(client: Client, catalogues: readonly string[]): Promise<Map<string, Map<string, string>>> {
  const names = new Map<string, Map<string, string>>();
  for (const catalogue of catalogues.filter(
    (name) => CATALOGUES.some((known) => known.name === name) || name === 'pg_authid',
  )) {
    const name =
      catalogue === 'pg_authid' ? 't.rolname' : `(pg_identify_object('${catalogue}'::regclass, t.oid, 0)).identity`;
    const { rows } = await client.query<{ oid: string; name: string }>(
      `SELECT t.oid::text AS oid, ${name} AS name FROM ${quoteIdentifier(catalogue)} t`,
    );
    names.set(catalogue, new Map(rows.map((row) => [row.oid, row.name])));
  }
  return names;
}

async function queryOf(client: Client, { name, where, definition, without = [] }: Catalogue): Promise<string> {
  const { rows: columns } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
     WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND atttypid <> 'pg_node_tree'::regtype`,
    [name],
  );
  const read = columns
    .map((column) => column.name)
    .filter((column) => column !== 'oid' && !without.includes(column))
    .map((column) => `'${column}', t.${column}`);
  const pieces = [...read, ...(definition === undefined ? [] : [`'definition', ${definition}`])];
  // A function takes a hundred arguments at most.
  const halves = [pieces.slice(0, 40), pieces.slice(40)].filter(({ length }) => length > 0);
  const row = halves.map((half) => `jsonb_build_object(${half.join(', ')})`).join(' || ');
  return `SELECT ${row} AS row FROM ${name} t WHERE ${where ?? OF_PEOPLE}`;
}

function toLine(
  row: Record<string, unknown>,
  columns: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, ReadonlyMap<string, string>>,
): string {
  const entries = Object.entries(row).map(([column, value]) => {
    const known = names.get(columns.get(column) ?? '');
    return [column, known === undefined ? value : named(value, known)] as const;
  });
  return JSON.stringify(Object.fromEntries(entries.toSorted(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))));
}

/** What names an object stands first in its line, so that lines of one object are beside each other. */
function rankOf(column: string): number {
  if (/(relid|rel|name|typid|fnoid)$/.test(column)) return 0;
  return column === 'definition' ? 2 : 1;
}

function named(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => named(item, names));
  if (typeof value !== 'string') return value;
  // An oidvector may come as text.
  return /^\d+( \d+)+$/.test(value) ? value.split(' ').map((oid) => named(oid, names)) : (names.get(value) ?? value);
}
