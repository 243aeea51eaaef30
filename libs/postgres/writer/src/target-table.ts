import { SluiceError } from '@sluice/contracts';
import { type ClientBase } from 'pg';

export interface TargetColumn {
  readonly name: string;
  readonly typeOid: number;
  /** Type without its modifier, schema-qualified: values are cast to it, and assignment checks the length. */
  readonly typeSql: string;
  /**
   * `schema.function` with its further arguments, of the type's input function, where a cast from text would call
   * something else; `null` where it does not.
   */
  readonly input: { readonly functionSql: string; readonly argumentsSql: string } | null;
  /**
   * `schema.function` that writes the value as the source sent it; a cast to text can do otherwise (it trims `character`).
   * `null` for a type that borrows the function of another one, so that SQL cannot call it.
   */
  readonly outputSql: string | null;
  readonly isGenerated: boolean;
  readonly isIdentityAlways: boolean;
}

export interface TargetKey {
  readonly isPrimary: boolean;
  /** Columns in index order with the equality operator that the index understands. */
  readonly columns: readonly { readonly name: string; readonly operator: string }[];
}

export interface TargetTable {
  readonly schema: string;
  readonly name: string;
  /** Its rows are in its partitions. */
  readonly isPartitioned: boolean;
  readonly columns: ReadonlyMap<string, TargetColumn>;
  /** Unique, immediate, total indexes over plain NOT NULL columns, the primary key first. */
  readonly keys: readonly TargetKey[];
  /** Triggers or rules that fire for replicated rows, so that changes must not be folded. */
  readonly firesTriggers: boolean;
  /** COPY is refused where row-level security holds for us. */
  readonly canCopy: boolean;
}

// Tested on PostgreSQL 10–18; attgenerated exists from 12 on and is read through to_jsonb so that one query serves all.
const COLUMNS = `
  SELECT a.attname AS name, a.atttypid::text AS type_oid, pg_catalog.format_type(a.atttypid, -1) AS type_sql,
         pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname) AS input_function,
         CASE WHEN p.pronargs > 1
           THEN pg_catalog.format(', %s::pg_catalog.oid', CASE WHEN y.typelem = 0 THEN y.oid ELSE y.typelem END)
           ELSE '' END || CASE WHEN p.pronargs > 2 THEN ', -1' ELSE '' END AS input_arguments,
         (WITH RECURSIVE base AS (
            SELECT t.oid, t.typbasetype, t.typoutput FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
            UNION ALL
            SELECT t.oid, t.typbasetype, t.typoutput FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype)
          SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.proname)
          FROM base JOIN pg_catalog.pg_proc p ON p.oid = base.typoutput
          JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          JOIN pg_catalog.pg_type g ON g.oid = p.proargtypes[0] AND (g.oid = base.oid OR g.typtype = 'p')
          WHERE base.typbasetype = 0) AS output_function,
         coalesce(to_jsonb(a)->>'attgenerated', '') <> '' AS is_generated,
         a.attidentity = 'a' AS is_identity_always
  FROM pg_catalog.pg_attribute a
  LEFT JOIN LATERAL (
    WITH RECURSIVE base AS (
      SELECT t.oid, t.typbasetype, t.typinput, t.typelem FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
      UNION ALL
      SELECT t.oid, t.typbasetype, t.typinput, t.typelem FROM base JOIN pg_catalog.pg_type t ON t.oid = base.typbasetype)
    SELECT base.* FROM base
    JOIN pg_catalog.pg_cast c ON c.castsource = 'pg_catalog.text'::pg_catalog.regtype AND c.casttarget = base.oid
    WHERE base.typbasetype = 0 AND c.castfunc <> 0) AS y ON true
  LEFT JOIN pg_catalog.pg_proc p ON p.oid = y.typinput AND p.prorettype = y.oid
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

const KEYS = `
  SELECT i.indexrelid, i.indisprimary AS is_primary,
         array_agg(a.attname::text ORDER BY k.position) AS columns,
         array_agg((SELECT pg_catalog.quote_ident(n.nspname) || '.' || o.oprname
                    FROM pg_catalog.pg_opclass c
                    JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amopstrategy = 3
                         AND p.amoplefttype = c.opcintype AND p.amoprighttype = c.opcintype
                    JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr
                    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                    WHERE c.oid = i.indclass[k.position - 1]) ORDER BY k.position) AS operators
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = $1::oid AND i.indisunique AND i.indimmediate AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL AND k.position <= coalesce((to_jsonb(i)->>'indnkeyatts')::int, i.indnatts)
  GROUP BY i.indexrelid, i.indisprimary
  HAVING bool_and(a.attnotnull)
  ORDER BY i.indisprimary DESC, count(*), i.indexrelid`;

const FIRES = `
  SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled IN ('A', 'R'))
      OR EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = $1::oid AND ev_enabled IN ('A', 'R')) AS fires,
    NOT pg_catalog.row_security_active($1::oid) AS can_copy`;

/** Reads what a writer must know of one table. @throws SluiceError 5006 when it does not exist. */
export async function readTargetTable(target: ClientBase, schema: string, name: string): Promise<TargetTable> {
  const { rows: found } = await target.query<{ oid: string; is_partitioned: boolean }>(
    `SELECT c.oid::text, c.relkind = 'p' AS is_partitioned
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
    [schema, name],
  );
  const oid = found[0]?.oid;
  if (oid === undefined)
    throw new SluiceError('SLUICE-5006', { detail: `table ${schema}.${name} does not exist on the target` });
  const [columns, keys, fires] = await Promise.all([
    target.query<{
      name: string;
      type_oid: string;
      type_sql: string;
      input_function: string | null;
      input_arguments: string;
      output_function: string | null;
      is_generated: boolean;
      is_identity_always: boolean;
    }>(COLUMNS, [oid]),
    target.query<{ is_primary: boolean; columns: string[]; operators: string[] }>(KEYS, [oid]),
    target.query<{ fires: boolean; can_copy: boolean }>(FIRES, [oid]),
  ]);
  return {
    schema,
    name,
    isPartitioned: found[0]?.is_partitioned ?? false,
    columns: new Map(
      columns.rows.map((row) => [
        row.name,
        {
          name: row.name,
          typeOid: Number(row.type_oid),
          typeSql: row.type_sql,
          input:
            row.input_function === null ? null : { functionSql: row.input_function, argumentsSql: row.input_arguments },
          outputSql: row.output_function,
          isGenerated: row.is_generated,
          isIdentityAlways: row.is_identity_always,
        },
      ]),
    ),
    keys: keys.rows.map((row) => ({
      isPrimary: row.is_primary,
      columns: row.columns.map((column, index) => ({ name: column, operator: row.operators[index] ?? 'pg_catalog.=' })),
    })),
    firesTriggers: fires.rows[0]?.fires ?? false,
    canCopy: fires.rows[0]?.can_copy ?? false,
  };
}
