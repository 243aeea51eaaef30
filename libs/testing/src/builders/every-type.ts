import { DEFAULT_POSTGRES_MAJOR, type PostgresMajor } from '@sluice/embedded';
import { quoteIdentifier } from '@sluice/postgres-client';
import { TYPE_SAMPLES, type TypeSample } from './type-samples.js';

/** The types that samples name in schema `every`; but `every.street`, which PostgreSQL 10 has not. */
export const USER_TYPES = `
CREATE SCHEMA every;
CREATE TYPE every.mood AS ENUM ('sad', 'so so', 'it''s fine', 'ünïcode 🐘', '');
CREATE DOMAIN every.positive AS numeric CHECK (VALUE > 0);
CREATE DOMAIN every.label AS varchar(20) DEFAULT 'none';
CREATE TYPE every.address AS (street text, number integer, moved timestamptz, tags text[]);
CREATE TYPE every.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
`;

const sinceWithin =
  (major: PostgresMajor) =>
  ({ since = 10 }: { since?: number }) =>
    since <= major;

/**
 * One table with a column of every type that the major has, and as many rows as the richest type has sample values:
 * row n holds the n-th of each type. The last row is all NULL but the key.
 */
export function everyType(major: PostgresMajor): string {
  const samples = TYPE_SAMPLES.filter(sinceWithin(major));
  const columns = samples.map((sample) => ({ name: quoteIdentifier(`c ${sample.type}`), sample }));
  const rowCount = Math.max(...samples.map((sample) => valuesOf(sample, major).length));
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const cells = columns.map(({ sample }) => {
      const values = valuesOf(sample, major);
      return `${values[row % values.length]}::${sample.type}`;
    });
    return `INSERT INTO every.type VALUES (${[row + 1, ...cells].join(', ')});`;
  });
  return [
    USER_TYPES,
    // PostgreSQL 10 has no domains over composite types.
    ...(major >= 11 ? ['CREATE DOMAIN every.street AS every.address;'] : []),
    `CREATE TABLE every.type (id integer PRIMARY KEY, ${columns.map(({ name, sample }) => `${name} ${sample.type}`).join(', ')});`,
    ...rows,
    `INSERT INTO every.type (id) VALUES (${rowCount + 1});`,
  ].join('\n');
}

function valuesOf(sample: TypeSample, major: PostgresMajor): readonly string[] {
  return [...sample.values, ...(sample.moreValues ?? []).filter(sinceWithin(major)).map(({ value }) => value)];
}

/** For the default major. */
export const EVERY_TYPE = everyType(DEFAULT_POSTGRES_MAJOR);
