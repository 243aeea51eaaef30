import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

/** What CREATE SEQUENCE and GENERATED … AS IDENTITY take alike. Numbers are text: they can exceed 2^53. */
export interface SequenceOptions {
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycle: boolean;
}

export function sequenceOptions(options: SequenceOptions): string {
  return (
    `START WITH ${options.start} INCREMENT BY ${options.increment} ` +
    `MINVALUE ${options.min} MAXVALUE ${options.max} CACHE ${options.cache}${options.cycle ? ' CYCLE' : ''}`
  );
}

interface SequenceRow extends SequenceOptions {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly type: string;
  readonly isUnlogged: boolean;
  readonly ownedBy: {
    readonly oid: number;
    readonly schema: string;
    readonly table: string;
    readonly column: string;
  } | null;
}

/** Tested on PostgreSQL 10–18. The sequence of an identity column (deptype `i`) is made with its table. */
export async function readSequences({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<SequenceRow>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name, r.rolname AS owner,
      pg_catalog.format_type(s.seqtypid, NULL) AS type, c.relpersistence = 'u' AS "isUnlogged",
      s.seqstart::text AS start, s.seqincrement::text AS increment, s.seqmin::text AS min, s.seqmax::text AS max,
      s.seqcache::text AS cache, s.seqcycle AS cycle,
      (SELECT pg_catalog.json_build_object('oid', t.oid::bigint, 'schema', tn.nspname, 'table', t.relname, 'column', a.attname)
       FROM pg_catalog.pg_depend d
       JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
       JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
       JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
       WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
         AND d.refclassid = 'pg_catalog.pg_class'::regclass) AS "ownedBy"
    FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
    WHERE c.relpersistence <> 't' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
    ORDER BY n.nspname, c.relname`,
  );
  return rows.flatMap((row) => [toSequence(row), ...toOwnership(row)]);
}

function toSequence(row: SequenceRow): SchemaObject {
  const name = quoteQualified(row.schema, row.name);
  return {
    key: objectKey('pg_class', row.oid),
    kind: 'sequence',
    address: `SEQUENCE ${name}`,
    stage: 'pre',
    sql: `CREATE ${row.isUnlogged ? 'UNLOGGED ' : ''}SEQUENCE ${name} AS ${row.type} ${sequenceOptions(row)}`,
    claims: `relation ${name}`,
    // The sequence of a column changes its owner with the table, and may not do so alone.
    ...(row.ownedBy === null && { owner: row.owner }),
  };
}

/** Apart from the sequence, because the table's default needs the sequence first. */
function toOwnership({ oid, schema, name, ownedBy }: SequenceRow): SchemaObject[] {
  if (ownedBy === null) return [];
  const column = `${quoteQualified(ownedBy.schema, ownedBy.table)}.${quoteIdentifier(ownedBy.column)}`;
  return [
    {
      key: objectKey('owned sequence', oid),
      kind: 'owner of sequence',
      address: `SEQUENCE ${quoteQualified(schema, name)}`,
      stage: 'pre',
      sql: `ALTER SEQUENCE ${quoteQualified(schema, name)} OWNED BY ${column}`,
      needs: [objectKey('pg_class', oid), objectKey('pg_class', ownedBy.oid)],
    },
  ];
}

/** The sequences of identity columns: made with their tables, but with comments and privileges of their own. */
export async function readIdentitySequences({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<{ oid: number; schema: string; name: string }>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i' AND ${inUserSchema}
    ORDER BY n.nspname, c.relname`,
  );
  return rows.map(({ oid, schema, name }) => ({
    key: objectKey('pg_class', oid),
    kind: 'identity sequence',
    address: `SEQUENCE ${quoteQualified(schema, name)}`,
    stage: 'pre',
    sql: '',
    claims: `relation ${quoteQualified(schema, name)}`,
  }));
}
