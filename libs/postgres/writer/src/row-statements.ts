import { quoteIdentifier, quoteLiteral, quoteQualified } from '@sluice/postgres-client';
import { type ImageColumn, type KeyedTable, type KeyIndex } from './conflict-indexes.js';
import { keyMatch, onlyTable, rowsFrom, single, wholeRowMatch } from './statements.js';
import { type PlanColumn, type TablePlan } from './table-plan.js';

/**
 * The statements that look at single rows when a change meets a conflict. Parameters are those of the other statements:
 * the cells that identify the row on the target, then the cells of the new row.
 */
export interface RowLayout {
  readonly plan: TablePlan;
  /** The key, or all columns where there is none; empty for an insert into a table without key. */
  readonly identity: readonly PlanColumn[];
  /** The cells of the new row that are known; empty for a delete. */
  readonly known: readonly PlanColumn[];
  readonly operation: 'insert' | 'update' | 'delete';
}

/** A range can be in the way of all rows of a table; of so many a person sees enough. */
const SHOWN_ROWS_MAX = 100;
/** More of a value is not kept; what is shown of it in the end is less. */
const PRINTED_CHARACTERS_MAX = 65_536 + 1;

/**
 * A JSON object of values as their output functions print them. A cast to text would not do: of a boolean it is
 * another text, and it cuts the blanks of char(n).
 */
function image(columns: readonly { name: string; sql: string }[]): string {
  const names = columns.map(({ name }) => quoteLiteral(name)).join(', ');
  const values = columns.map(
    ({ sql }) =>
      `CASE pg_catalog.num_nulls(${sql}) WHEN 0 THEN pg_catalog."left"(pg_catalog.format('%s', ${sql}), ${PRINTED_CHARACTERS_MAX}) END`,
  );
  return `pg_catalog.json_object(ARRAY[${names}]::pg_catalog.text[], ARRAY[${values.join(', ')}]::pg_catalog.text[])::pg_catalog.text`;
}

/** `key` and `source_row` of a change. */
export function describeStatement({ identity, known, operation }: RowLayout): string {
  const row = operation === 'delete' ? 'NULL' : cellsImage(known, identity.length);
  return `SELECT ${cellsImage(identity, 0)} AS key, ${row} AS source_row`;
}

/** As `describeStatement`, for a change whose values may be what is wrong with it. Parameters: the cells that identify the row. */
export function describeKeyStatement({ identity }: RowLayout): string {
  return `SELECT ${cellsImage(identity, 0)} AS key`;
}

function cellsImage(columns: readonly PlanColumn[], first: number): string {
  return image(columns.map((column, index) => ({ name: column.name, sql: single(column, first + index) })));
}

/** The rows of `keyed` that keep the new row from being written: `image`. Deleted by the way, if so asked. */
export function blockersStatement(layout: RowLayout, keyed: KeyedTable, mode: 'read' | 'delete'): string {
  const source = ownRow(layout);
  const candidate = candidateRow(layout, keyed.columns);
  const immediate = keyed.indexes.filter(({ isDeferrable }) => !isDeferrable);
  const found = immediate.map((index) => rowsEqualTo({ index, keyed, source, candidate }));
  return takeRows(keyed, found, mode);
}

/**
 * As `blockersStatement`, once the row has been written: those that equal it in a deferrable key.
 * Parameters: the cells that identify the written row.
 */
export function laterBlockersStatement(layout: RowLayout, keyed: KeyedTable, mode: 'read' | 'delete'): string {
  const source = ownRow({ ...layout, operation: 'update' });
  const own = columnsOf(layout.plan).map((column, index) => `o.o${index} AS ${quoteIdentifier(column)}`);
  const candidate = `(SELECT ${own.join(', ')} WHERE o.place IS NOT NULL)`;
  const deferrable = keyed.indexes.filter(({ isDeferrable }) => isDeferrable);
  return takeRows(
    keyed,
    deferrable.map((index) => rowsEqualTo({ index, keyed, source, candidate })),
    mode,
  );
}

/** Schema and name of the partition that holds the row. Parameters: the cells that identify it. */
export function partitionStatement(layout: RowLayout): string {
  return `SELECT n.nspname AS schema, c.relname AS name FROM ${onlyTable(layout.plan)} AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tableoid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace, ${identityCells(layout)}
WHERE ${ownMatch(layout)} LIMIT 1`;
}

/** The rows that the identity finds, where it should find one: all of them, or all but one deleted. */
export function ownRowsStatement(layout: RowLayout, keyed: KeyedTable, mode: 'read' | 'delete-others'): string {
  const shown = image(keyed.columns.map(({ name }) => ({ name, sql: `t.${quoteIdentifier(name)}` })));
  const rows = `${onlyTable(layout.plan)} AS t`;
  const from = identityCells(layout);
  if (mode === 'read')
    return `SELECT ${shown} AS image FROM ${rows}, ${from} WHERE ${ownMatch(layout)} LIMIT ${SHOWN_ROWS_MAX}`;
  const place = 't.tableoid::pg_catalog.text || t.ctid::pg_catalog.text';
  const kept = `(SELECT ${place} FROM ${rows}, ${from} WHERE ${ownMatch(layout)} LIMIT 1)`;
  const gone = `DELETE FROM ${rows} USING ${from} WHERE ${ownMatch(layout)} AND ${place} <> ${kept} RETURNING ${shown} AS image`;
  return `WITH gone AS (${gone}) SELECT image FROM gone LIMIT ${SHOWN_ROWS_MAX}`;
}

function takeRows(keyed: KeyedTable, found: readonly string[], mode: 'read' | 'delete'): string {
  const rows = `ONLY ${quoteQualified(keyed.schema, keyed.name)} AS t`;
  const shown = image(keyed.columns.map(({ name }) => ({ name, sql: `t.${quoteIdentifier(name)}` })));
  const isFound = 't.ctid = ANY (ARRAY(SELECT place FROM blockers))';
  const blockers = `WITH blockers AS (${found.join('\nUNION ') || 'SELECT NULL::pg_catalog.tid AS place WHERE false'})`;
  return mode === 'read'
    ? `${blockers} SELECT ${shown} AS image FROM ${rows} WHERE ${isFound} LIMIT ${SHOWN_ROWS_MAX}`
    : `${blockers}, gone AS (DELETE FROM ${rows} WHERE ${isFound} RETURNING ${shown} AS image) SELECT image FROM gone LIMIT ${SHOWN_ROWS_MAX}`;
}

/**
 * Expressions and predicates of an index name its columns bare, so that each is put where only one row has them:
 * once over the candidate, once over the table.
 */
function rowsEqualTo(options: { index: KeyIndex; keyed: KeyedTable; source: string; candidate: string }): string {
  const { index, keyed, source, candidate } = options;
  const predicate = index.predicateSql === null ? 'true' : `(${index.predicateSql})`;
  const keys = index.parts.map(({ sql }, position) => `${sql} AS k${position}`);
  const equal = index.parts.map(({ sql, operatorSql }, position) => {
    const isEqual = `${sql} ${operatorSql} n.k${position}`;
    return index.equatesNulls ? `(${isEqual} OR pg_catalog.num_nulls(${sql}, n.k${position}) = 2)` : isEqual;
  });
  return `SELECT b.place FROM ${source}
CROSS JOIN LATERAL (SELECT ${keys.join(', ')}, ${predicate} AS is_in FROM ${candidate} AS t) AS n
CROSS JOIN LATERAL (SELECT t.tableoid AS table_oid, t.ctid AS place FROM ONLY ${quoteQualified(keyed.schema, keyed.name)} AS t
                    WHERE ${predicate} AND ${equal.join(' AND ')}) AS b
WHERE n.is_in AND (b.table_oid, b.place) IS DISTINCT FROM (o.table_oid, o.place)`;
}

/** The row that a change is made to, as `o`: what it keeps and that it is not in its own way. */
function ownRow(layout: RowLayout): string {
  const columns = columnsOf(layout.plan);
  const shown = columns.map((name, index) => `, t.${quoteIdentifier(name)} AS o${index}`).join('');
  const isOwn = layout.operation === 'insert' ? 'false' : ownMatch(layout);
  return `${identityCells(layout)}
LEFT JOIN LATERAL (SELECT t.tableoid AS table_oid, t.ctid AS place${shown} FROM ${onlyTable(layout.plan)} AS t
                   WHERE ${isOwn} LIMIT 1) AS o ON true`;
}

/** What a key is compared with; a whole row is compared with the parameters themselves. */
function identityCells({ plan, identity }: RowLayout): string {
  return plan.key && identity.length > 0 ? rowsFrom(identity.length) : '(SELECT) AS v';
}

/** The new row with all columns of the table that it would get into: the cells that are known, else what the row has. */
function candidateRow({ plan, identity, known }: RowLayout, columns: readonly ImageColumn[]): string {
  const own = columnsOf(plan);
  const cells = columns
    .filter(({ generationSql }) => generationSql === null)
    .map(({ name, typeSql }) => {
      const position = known.findIndex((column) => column.name === name);
      const column = known[position];
      const kept = own.indexOf(name);
      const sql = column ? single(column, identity.length + position) : kept < 0 ? 'NULL' : `o.o${kept}`;
      return `(${sql})::${typeSql} AS ${quoteIdentifier(name)}`;
    });
  const generated = columns.flatMap(({ name, generationSql }) =>
    generationSql === null ? [] : `, (${generationSql}) AS ${quoteIdentifier(name)}`,
  );
  return `(SELECT t.*${generated.join('')} FROM (SELECT ${cells.join(', ')}) AS t)`;
}

function ownMatch({ plan, identity }: RowLayout): string {
  return plan.key ? keyMatch(identity) : wholeRowMatch(plan);
}

function columnsOf({ target }: TablePlan): readonly string[] {
  return [...target.columns.keys()];
}
