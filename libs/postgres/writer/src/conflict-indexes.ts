import { type TableName } from '@sluice/contracts';
import { type ClientBase } from 'pg';

/** A column of the table in which a row is in the way. */
export interface ImageColumn {
  readonly name: string;
  /** Type with its modifier. */
  readonly typeSql: string;
  /** Of a stored generated column, over the other columns. */
  readonly generationSql: string | null;
}

/** What keeps two rows apart: a unique index or an exclusion constraint, partial and over expressions too. */
export interface KeyIndex {
  readonly name: string;
  readonly parts: readonly { readonly sql: string; readonly operatorSql: string }[];
  /** Rows outside it are not kept apart. */
  readonly predicateSql: string | null;
  /** NULLS NOT DISTINCT */
  readonly equatesNulls: boolean;
  /** Checked at the end of a transaction, by triggers that do not fire for replicated rows. */
  readonly isDeferrable: boolean;
}

/** A table whose rows may be in the way of others: never a partitioned one, as it is a partition that holds the row. */
export interface KeyedTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ImageColumn[];
  readonly indexes: readonly KeyIndex[];
}

// Tested on PostgreSQL 10, 13 and 18; columns of newer versions are read through to_jsonb.
const COLUMNS = `
  SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_sql,
         CASE WHEN coalesce(to_jsonb(a)->>'attgenerated', '') <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
           AS generation_sql
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const INDEXES = `
  SELECT c.relname AS name, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate_sql, NOT i.indimmediate AS is_deferrable,
         coalesce((to_jsonb(i)->>'indnullsnotdistinct')::bool, false) AS equates_nulls,
         array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k.position::int, false) ORDER BY k.position) AS parts,
         array_agg(coalesce((
           SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname)
           FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
           WHERE l.oid = i.indcollation[k.position - 1]), '') ORDER BY k.position) AS collations,
         array_agg((
           SELECT pg_catalog.quote_ident(n.nspname) || '.' || o.oprname
           FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
           WHERE o.oid = coalesce(x.conexclop[k.position], (
             SELECT p.amopopr FROM pg_catalog.pg_opclass s
             JOIN pg_catalog.pg_amop p ON p.amopfamily = s.opcfamily AND p.amopstrategy = 3
                  AND p.amoplefttype = s.opcintype AND p.amoprighttype = s.opcintype
             WHERE s.oid = i.indclass[k.position - 1]))) ORDER BY k.position) AS operators
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  LEFT JOIN pg_catalog.pg_constraint x
    ON x.conindid = i.indexrelid AND x.conrelid = i.indrelid AND x.contype IN ('p', 'u', 'x')
  CROSS JOIN LATERAL pg_catalog.generate_series(1, coalesce((to_jsonb(i)->>'indnkeyatts')::int, i.indnatts)) AS k(position)
  WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion) AND i.indisready
  GROUP BY i.indexrelid, i.indrelid, i.indpred, i.indimmediate, to_jsonb(i), c.relname ORDER BY c.relname`;

/** Reads what keeps the rows of a table apart; `null` when there is no such table. */
export async function readKeyedTable(target: ClientBase, schema: string, name: string): Promise<KeyedTable | null> {
  const { rows: found } = await target.query<{ oid: string }>(
    `SELECT c.oid::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
    [schema, name],
  );
  const oid = found[0]?.oid;
  if (oid === undefined) return null;
  const columns = await target.query<{ name: string; type_sql: string; generation_sql: string | null }>(COLUMNS, [oid]);
  const indexes = await target.query<{
    name: string;
    predicate_sql: string | null;
    is_deferrable: boolean;
    equates_nulls: boolean;
    parts: string[];
    collations: string[];
    operators: (string | null)[];
  }>(INDEXES, [oid]);
  return {
    schema,
    name,
    columns: columns.rows.map((row) => ({
      name: row.name,
      typeSql: row.type_sql,
      generationSql: row.generation_sql,
    })),
    indexes: indexes.rows.map((row) => ({
      name: row.name,
      predicateSql: row.predicate_sql,
      isDeferrable: row.is_deferrable,
      equatesNulls: row.equates_nulls,
      parts: row.parts.map((part, index) => ({
        sql: row.collations[index] ? `(${part}) COLLATE ${row.collations[index]}` : `(${part})`,
        operatorSql: `OPERATOR(${row.operators[index] ?? 'pg_catalog.='})`,
      })),
    })),
  };
}

/** True when rows that are written to `root` may get into `other`: that table itself, or a partition of it. */
export async function holdsRowsOf(target: ClientBase, root: TableName, other: TableName): Promise<boolean> {
  const { rows } = await target.query<{ found: boolean }>(
    `WITH RECURSIVE part AS (
       SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2
       UNION ALL
       SELECT i.inhrelid FROM part JOIN pg_catalog.pg_class p ON p.oid = part.oid AND p.relkind = 'p'
       JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid)
     SELECT EXISTS (
       SELECT FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $3 AND c.relname = $4) AS found`,
    [root.schema, root.name, other.schema, other.name],
  );
  return rows[0]?.found ?? false;
}

/** True when two rows with the same key can be written and nothing would be said. */
export async function hasDeferrableKeys(target: ClientBase, schema: string, name: string): Promise<boolean> {
  const { rows } = await target.query<{ found: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relname = $2 AND NOT i.indimmediate) AS found`,
    [schema, name],
  );
  return rows[0]?.found ?? false;
}
