import { quoteIdentifier } from '@sluice/postgres-client';
import { type ComparableColumn } from './comparable-tables.js';

/** How values are made comparable when the two servers write them differently. */
export interface TextForm {
  /** PostgreSQL 12 changed how floats are printed; between the two worlds they are compared by their bits. */
  readonly floatsAsBits: boolean;
  /** The servers store text in different encodings, so hashes are taken over UTF-8. */
  readonly encodeAsUtf8: boolean;
}

/**
 * The text of `columns` of the row `t`. A composite value quotes its fields, so `('a','b,c')` and `('a,b','c')`
 * stay apart and NULL is not the empty string; output functions are used, so padding and types without a cast count.
 */
export function rowText(columns: readonly ComparableColumn[], form: TextForm): string {
  return `ROW(${columns.map((column) => columnValue(column, form)).join(', ')})::text`;
}

/** The md5 of that text as 32 hex digits. */
export function rowHash(columns: readonly ComparableColumn[], form: TextForm): string {
  const text = rowText(columns, form);
  return form.encodeAsUtf8 ? `md5(convert_to(${text}, 'UTF8'))` : `md5(${text})`;
}

function columnValue({ name, floatSend }: ComparableColumn, form: TextForm): string {
  const value = `t.${quoteIdentifier(name)}`;
  return floatSend !== null && form.floatsAsBits ? `encode(${floatSend}(${value}), 'hex')` : value;
}

/**
 * Aggregates over a row hash `h` that make an order-independent fingerprint of a multiset of rows: the count and the
 * sums of the two 64-bit halves. Addition, unlike XOR, does not cancel rows that occur twice.
 */
export const FINGERPRINT_COLUMNS = `
  count(*) AS row_count,
  coalesce(sum(('x' || left(h, 16))::bit(64)::bigint), 0)::text AS high,
  coalesce(sum(('x' || right(h, 16))::bit(64)::bigint), 0)::text AS low`;

export interface FingerprintRow {
  row_count: string;
  high: string;
  low: string;
}

export interface Fingerprint {
  readonly rowCount: bigint;
  readonly high: bigint;
  readonly low: bigint;
}

export const EMPTY_FINGERPRINT: Fingerprint = { rowCount: 0n, high: 0n, low: 0n };

export function parseFingerprint(row: FingerprintRow): Fingerprint {
  return { rowCount: BigInt(row.row_count), high: BigInt(row.high), low: BigInt(row.low) };
}

/** The fingerprint of both multisets put together. */
export function addFingerprints(a: Fingerprint, b: Fingerprint): Fingerprint {
  return { rowCount: a.rowCount + b.rowCount, high: a.high + b.high, low: a.low + b.low };
}

export function equalFingerprints(a: Fingerprint, b: Fingerprint): boolean {
  return a.rowCount === b.rowCount && a.high === b.high && a.low === b.low;
}
