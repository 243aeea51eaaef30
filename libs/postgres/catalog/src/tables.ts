import { type ClientBase } from 'pg';
import { type ColumnFacts, readColumns } from './columns.js';
import { inUserSchema, notExtensionMember, type TableSelection } from './scope.js';
import { readRows, sql } from './sql.js';

export interface TableFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned';
  readonly isPartition: boolean;
  readonly persistence: 'permanent' | 'unlogged';
  readonly replicaIdentity: 'default' | 'index' | 'full' | 'nothing';
  readonly columns: readonly ColumnFacts[];
  readonly primaryKey: readonly string[] | null;
  /** Columns of the replica identity; `null` when it is FULL, NOTHING, or the key is missing or deferrable. */
  readonly identityKey: readonly string[] | null;
  readonly uniqueIndexCount: number;
  readonly estimatedRows: number;
  readonly heapBytes: number;
  readonly heapBlocks: number;
  /** Triggers or rules that fire even under session_replication_role = replica. */
  readonly hasReplicaTriggers: boolean;
}

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly relkind: 'r' | 'p';
  readonly isPartition: boolean;
  readonly relpersistence: 'p' | 'u';
  readonly relreplident: 'd' | 'f' | 'i' | 'n';
  readonly relpages: number;
  readonly reltuples: number;
  readonly heapBytes: string;
  readonly blockSize: number;
  readonly hasReplicaTriggers: boolean;
}

interface KeyRow {
  readonly tableOid: number;
  readonly isPrimary: boolean;
  readonly isReplicaIdentity: boolean;
  readonly isImmediate: boolean;
  readonly columns: string[];
}

const REPLICA_IDENTITY = { d: 'default', f: 'full', i: 'index', n: 'nothing' } as const;
/** Only for tables that were never analyzed; an order of magnitude is enough to show progress. */
const ASSUMED_ROW_BYTES = 100;

/** All tables that hold, or whose partitions hold, rows of people. Set-based: three queries, however many tables. */
export async function readTables(client: ClientBase, selection: TableSelection = {}): Promise<TableFacts[]> {
  const rows = await readTableRows(client, selection);
  const oids = rows.map(({ oid }) => oid);
  const columns = await readColumns(client, oids);
  const keys = Map.groupBy(await readUniqueIndexes(client, oids), ({ tableOid }) => tableOid);
  return rows.map((row) => toTableFacts(row, columns.get(row.oid) ?? [], keys.get(row.oid) ?? []));
}

function toTableFacts(row: TableRow, columns: readonly ColumnFacts[], keys: readonly KeyRow[]): TableFacts {
  const primary = keys.find(({ isPrimary }) => isPrimary);
  const replicaIdentity = REPLICA_IDENTITY[row.relreplident];
  const identityIndex = {
    // A deferrable key can be violated inside a transaction, so the server does not identify rows by it.
    default: primary?.isImmediate === true ? primary : undefined,
    index: keys.find(({ isReplicaIdentity }) => isReplicaIdentity),
    full: undefined,
    nothing: undefined,
  }[replicaIdentity];
  const heapBytes = Number(row.heapBytes);
  const heapBlocks = Math.ceil(heapBytes / row.blockSize);
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.relkind === 'p' ? 'partitioned' : 'table',
    isPartition: row.isPartition,
    persistence: row.relpersistence === 'u' ? 'unlogged' : 'permanent',
    replicaIdentity,
    columns,
    primaryKey: primary?.columns ?? null,
    identityKey: identityIndex?.columns ?? null,
    uniqueIndexCount: keys.length,
    estimatedRows: estimateRows(row, heapBytes, heapBlocks),
    heapBytes,
    heapBlocks,
    hasReplicaTriggers: row.hasReplicaTriggers,
  };
}

/** As the planner does it: the density at the last ANALYZE times the size of now. */
function estimateRows({ reltuples, relpages }: TableRow, heapBytes: number, heapBlocks: number): number {
  if (relpages > 0 && reltuples >= 0) return Math.round((reltuples / relpages) * heapBlocks);
  return Math.round(heapBytes / ASSUMED_ROW_BYTES);
}

/** Tested on PostgreSQL 10–18. */
function readTableRows(client: ClientBase, selection: TableSelection): Promise<TableRow[]> {
  const { schemas = null, tables = null } = selection;
  const query = sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind, c.relispartition AS "isPartition",
      c.relpersistence, c.relreplident, c.relpages, c.reltuples::float8 AS reltuples,
      coalesce(CASE c.relkind WHEN 'r' THEN pg_catalog.pg_relation_size(c.oid) END, 0)::text AS "heapBytes",
      pg_catalog.current_setting('block_size')::int AS "blockSize",
      (c.relhastriggers AND EXISTS (
        SELECT FROM pg_catalog.pg_trigger t
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R')))
      OR (c.relhasrules AND EXISTS (
        SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R'))) AS "hasReplicaTriggers"
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence IN ('p', 'u') AND ${inUserSchema}
      AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
      AND (($1::text[] IS NULL AND $2::text[] IS NULL)
        OR n.nspname = ANY ($1::text[])
        OR EXISTS (SELECT FROM unnest($2::text[], $3::text[]) s(schema, name)
                   WHERE s.schema = n.nspname AND s.name = c.relname))
    ORDER BY n.nspname, c.relname`;
  return readRows<TableRow>(client, query, [
    schemas,
    tables?.map(({ schema }) => schema) ?? null,
    tables?.map(({ name }) => name) ?? null,
  ]);
}

/** Tested on PostgreSQL 10–18. Included columns (from 11) are no part of the key; indnatts covers 10, where all are. */
function readUniqueIndexes(client: ClientBase, oids: readonly number[]): Promise<KeyRow[]> {
  const query = sql`
    SELECT i.indrelid AS "tableOid", i.indisprimary AS "isPrimary", i.indisreplident AS "isReplicaIdentity",
      i.indimmediate AS "isImmediate",
      ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.position <= coalesce((pg_catalog.to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts)
        ORDER BY k.position) AS columns
    FROM pg_catalog.pg_index i
    WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid
    ORDER BY i.indexrelid`;
  return readRows<KeyRow>(client, query, [oids]);
}
