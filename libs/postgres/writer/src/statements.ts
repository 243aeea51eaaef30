import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { isBinary, type PlanColumn, type TablePlan } from './table-plan.js';

/**
 * The statements that write changes. Values arrive as `text[]` parameters, one array per column, one element per row,
 * and are read by the type's own input function (a cast from text to a type without a special cast does that, the others
 * get it by name), then assigned, so that a length that does not fit is an error and never cut.
 */

const table = (plan: TablePlan): string => quoteQualified(plan.target.schema, plan.target.name);

/** The table without those that inherit from it, which may hold equal keys; the rows of a partitioned one are in its partitions. */
export const onlyTable = (plan: TablePlan): string => `${plan.target.isPartitioned ? '' : 'ONLY '}${table(plan)}`;

const valueOf = (column: PlanColumn, text: string): string =>
  column.input
    ? `${column.input.functionSql}(pg_catalog.textout(${text})${column.input.argumentsSql})::${column.typeSql}`
    : `${text}::${column.typeSql}`;

/** Of a row in `rowsFrom`. */
const value = (column: PlanColumn, alias: string): string => valueOf(column, `v.${alias}`);

/** Of a statement for one row, which may need more cells than a FROM clause can return (1664). */
export const single = (column: PlanColumn, index: number): string =>
  valueOf(column, `($${index + 1}::${column.wire.typeSql}[])[1]`);

/** `ROWS FROM (unnest($1::text[]), unnest($2::text[])) AS v(c0, c1)`: arrays of equal length side by side. */
export function rowsFrom(count: number, columns: readonly PlanColumn[] = []): string {
  const range = Array.from({ length: count }, (_, index) => index);
  const typeOf = (index: number): string => columns[index]?.wire.typeSql ?? 'pg_catalog.text';
  const arrays = range.map((index) => `pg_catalog.unnest($${index + 1}::${typeOf(index)}[])`).join(', ');
  return `ROWS FROM (${arrays}) AS v(${range.map((index) => `c${index}`).join(', ')})`;
}

/** Parameters: the given columns. */
export function insertStatement(plan: TablePlan, columns: readonly PlanColumn[]): string {
  const names = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const values = columns.map((column, index) => value(column, `c${index}`)).join(', ');
  return `INSERT INTO ${table(plan)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM ${rowsFrom(columns.length, columns)}`;
}

/** Rows follow in the format that the columns are given in, and are read by their types' own functions. Values of identity columns are taken as they are. */
export function copyStatement(plan: TablePlan, columns: readonly PlanColumn[]): string {
  const names = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  return `COPY ${table(plan)} (${names}) FROM STDIN${isBinary(plan) ? ' (FORMAT binary)' : ''}`;
}

/** A table whose columns are all generated or which has none: rows are counted, not described. */
export function insertEmptyStatement(plan: TablePlan): string {
  return `INSERT INTO ${table(plan)} DEFAULT VALUES`;
}

/** Parameters: the key columns. */
export function deleteStatement(plan: TablePlan, key: readonly PlanColumn[]): string {
  return `DELETE FROM ${onlyTable(plan)} AS t USING ${rowsFrom(key.length, key)} WHERE ${keyMatch(key)}`;
}

/**
 * Parameters: the key columns, then the set columns. An identity column GENERATED ALWAYS cannot be set; it must be equal
 * already, else no row is found and the caller falls back to `moveStatement`.
 */
export function updateStatement(plan: TablePlan, key: readonly PlanColumn[], columns: readonly PlanColumn[]): string {
  const settable = columns.filter((column) => !column.isIdentityAlways);
  const at = (column: PlanColumn): string => `c${key.length + columns.indexOf(column)}`;
  const assignments = settable.map((column) => `${quoteIdentifier(column.name)} = ${value(column, at(column))}`);
  const unchanged = columns
    .filter((column) => column.isIdentityAlways)
    .map((column) => ` AND t.${quoteIdentifier(column.name)} = ${value(column, at(column))}`);
  // A table of key columns only still has to prove that the row is there.
  const set =
    assignments.length > 0
      ? assignments.join(', ')
      : [...key, ...plan.columns]
          .filter(({ isGenerated }) => !isGenerated)
          .map((column) => `${quoteIdentifier(column.name)} = t.${quoteIdentifier(column.name)}`)
          .slice(0, 1)
          .join('');
  return `UPDATE ${onlyTable(plan)} AS t SET ${set} FROM ${rowsFrom(key.length + columns.length, [...key, ...columns])} WHERE ${keyMatch(key)}${unchanged.join('')}`;
}

/**
 * Replaces a row by one with another key or another GENERATED ALWAYS value, keeping the cells that the source did not
 * send. Parameters: the old key columns, then the sent columns.
 */
export function moveStatement(plan: TablePlan, key: readonly PlanColumn[], sent: readonly PlanColumn[]): string {
  const rows = rowsFrom(key.length + sent.length);
  const values = movedValues(plan, sent, (column, index) => value(column, `c${key.length + index}`));
  return `WITH o AS (DELETE FROM ${onlyTable(plan)} AS t USING ${rows} WHERE ${keyMatch(key)} RETURNING t.*)
${insertInto(plan)} SELECT ${values} FROM o, ${rows}`;
}

/** As `moveStatement`, for a table without key. Parameters: all columns of the old row, then the sent columns. */
export function moveWholeRowStatement(plan: TablePlan, sent: readonly PlanColumn[]): string {
  const values = movedValues(plan, sent, (column, index) => single(column, plan.columns.length + index));
  return `WITH o AS (DELETE FROM ${onlyTable(plan)} AS t WHERE ${wholeRowMatch(plan)} RETURNING t.*)
${insertInto(plan)} SELECT ${values} FROM o`;
}

function insertInto(plan: TablePlan): string {
  const names = plan.columns.map((column) => quoteIdentifier(column.name)).join(', ');
  return `INSERT INTO ${table(plan)} (${names}) OVERRIDING SYSTEM VALUE`;
}

/** What was sent, and the rest from the row `o` that goes. */
function movedValues(
  plan: TablePlan,
  sent: readonly PlanColumn[],
  sentValue: (column: PlanColumn, index: number) => string,
): string {
  const values = plan.columns.map((column) => {
    const index = sent.findIndex((other) => other.position === column.position);
    return index < 0 ? `o.${quoteIdentifier(column.name)}` : sentValue(column, index);
  });
  return values.join(', ');
}

/** Parameters: all columns. Deletes exactly one of the rows that are equal to it. */
export function deleteWholeRowStatement(plan: TablePlan): string {
  return `DELETE FROM ${onlyTable(plan)} AS t WHERE ${wholeRowMatch(plan)}`;
}

/** Parameters: all columns of the old row, then the set columns. Updates exactly one of the rows that are equal to it. */
export function updateWholeRowStatement(plan: TablePlan, columns: readonly PlanColumn[]): string {
  const assignments = columns.map(
    (column, index) => `${quoteIdentifier(column.name)} = ${single(column, plan.columns.length + index)}`,
  );
  // A row of which the source sent no cell (all of it unchanged TOAST) still has to be there.
  const same = plan.columns.slice(0, 1).map(({ name }) => `${quoteIdentifier(name)} = t.${quoteIdentifier(name)}`);
  const set = (assignments.length > 0 ? assignments : same).join(', ');
  return `UPDATE ${onlyTable(plan)} AS t SET ${set} WHERE ${wholeRowMatch(plan)}`;
}

/**
 * As `deleteWholeRowStatement` for many rows, reading the table once. Of rows that are equal as many go as were sent: the
 * equal ones of each side are counted, and those with the same number meet. Parameters: all columns.
 *
 * `IS TRUE` keeps an IN from becoming a join, so that it is looked up in a hash table whatever joins the session may use.
 */
export function deleteWholeRowsStatement(plan: TablePlan): string {
  const { columns, target } = plan;
  const sent = columns.map((column, index) => written(column, value(column, `c${index}`)));
  const stored = columns.map((column) => written(column, `s.${quoteIdentifier(column.name)}`));
  // A row's own text form quotes its fields, so that no two rows share one.
  const row = (cells: readonly string[]): string => `ROW(${cells.join(', ')})::pg_catalog.text COLLATE pg_catalog."C"`;
  const numbered = 'pg_catalog.row_number() OVER (PARTITION BY line) AS nth';
  const inPartition = target.isPartitioned
    ? ' AND ((t.tableoid, t.ctid::pg_catalog.text) IN (SELECT part, place::pg_catalog.text FROM gone)) IS TRUE'
    : '';
  return `WITH sent AS (SELECT line, ${numbered} FROM (SELECT ${row(sent)} AS line FROM ${rowsFrom(columns.length, columns)}) AS v),
found AS (SELECT s.tableoid AS part, s.ctid AS place, ${row(stored)} AS line FROM ${onlyTable(plan)} AS s
          WHERE (${row(stored)} IN (SELECT line FROM sent)) IS TRUE),
gone AS (SELECT part, place FROM (SELECT part, place, line, ${numbered} FROM found) AS f
         WHERE ((line, nth) IN (SELECT line, nth FROM sent)) IS TRUE)
DELETE FROM ${onlyTable(plan)} AS t WHERE t.ctid = ANY (ARRAY(SELECT place FROM gone))${inPartition}`;
}

/**
 * Without CASCADE, also when the source had it: the message names every table that was truncated there, and no other may
 * lose rows here. https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html (Truncate)
 */
export function truncateStatement(plans: readonly TablePlan[], restartIdentity: boolean): string {
  return `TRUNCATE ${plans.map(onlyTable).join(', ')} ${restartIdentity ? 'RESTART' : 'CONTINUE'} IDENTITY RESTRICT`;
}

/**
 * Order of the join: for each row that was sent its row of the table is looked up, never the other way round. ANALYZE counts rows only
 * that have committed: while a large transaction fills a table it says that there are none, and a plan that walks over the table's index and
 * reads what was sent for each of its rows looks cheap. An index that could be walked over is one that joins can use in its
 * order, which `=` allows and `= ANY` does not.
 */
export function keyMatch(key: readonly PlanColumn[]): string {
  return key
    .map((column, index) => {
      const sent = value(column, `c${index}`);
      const operand = SCALAR_TYPE_OIDS.has(column.typeOid) ? `ANY (ARRAY[${sent}])` : sent;
      return `t.${quoteIdentifier(column.name)} ${column.operator} ${operand}`;
    })
    .join(' AND ');
}

/** Of what keys mostly are: bool, bytea, "char", name, int8, int2, int4, text, oid, bpchar, varchar, date, timestamp, timestamptz, numeric, uuid. Of an array or a domain no array can be made. */
const SCALAR_TYPE_OIDS: ReadonlySet<number> = new Set([
  16, 17, 18, 19, 20, 21, 23, 25, 26, 1042, 1043, 1082, 1114, 1184, 1700, 2950,
]);

/** What the type's output function writes. */
function written({ outputSql }: PlanColumn, of: string): string {
  return outputSql === null ? `(${of})::pg_catalog.text` : `pg_catalog.textin(${outputSql}(${of}))`;
}

/**
 * Compares rows by what their types' output functions write: every type has one, also those without an equality operator,
 * and equal text under the session's settings is the same value. Casts to text and collations can find different values
 * equal. One of several equal rows is chosen by its place.
 */
export function wholeRowMatch(plan: TablePlan): string {
  const equal = plan.columns.map((column, index) => {
    const [stored, sent] = [`s.${quoteIdentifier(column.name)}`, single(column, index)];
    // In a SELECT of its own what was sent is read once, not once for each row that is compared with it.
    return `${written(column, stored)} COLLATE pg_catalog."C" IS NOT DISTINCT FROM (SELECT ${written(column, sent)})`;
  });
  const place = (row: string): string => (plan.target.isPartitioned ? `${row}.tableoid, ${row}.ctid` : `${row}.ctid`);
  const found = `SELECT ${place('s')} FROM ${onlyTable(plan)} AS s WHERE ${equal.join(' AND ') || 'true'} LIMIT 1`;
  return `(${place('t')}) = (${found})`;
}
