import { EVERY_TYPE, KEYLESS, ORDERS, PARTITIONED, QUOTED_NAMES } from '@sluice/testing';

/** What the properties look at: money that is only moved, rows that are only appended in order, marks of the harness. */
const WATCHED = `
CREATE SCHEMA bank;
CREATE TABLE bank.checking (id integer PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE bank.savings (id integer PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO bank.checking SELECT i, 1000 FROM generate_series(1, 40) AS i;
INSERT INTO bank.savings SELECT i, 1000 FROM generate_series(1, 40) AS i;
CREATE SCHEMA line;
CREATE TABLE line.earlier (n bigint PRIMARY KEY);
CREATE TABLE line.later (n bigint PRIMARY KEY);
CREATE TABLE line.marks (mark uuid PRIMARY KEY);
`;

/** A small database that has a bit of everything: every type, keys of all kinds and none, partitions, hard names. */
export const MIXED = [
  ORDERS,
  EVERY_TYPE,
  KEYLESS,
  // Without identity the source would refuse to change them once they are published.
  'ALTER TABLE keyless.insert_only REPLICA IDENTITY FULL; ALTER TABLE keyless.no_columns REPLICA IDENTITY FULL;',
  PARTITIONED,
  QUOTED_NAMES,
  WATCHED,
].join('\n');

/** So many rows of about 400 bytes, in as many tables, that a load takes its time. */
export function bulk(tableCount: number, rowCount: number): string {
  return Array.from({ length: tableCount }, (_, index) => {
    const table = `bulk.t${index + 1}`;
    return `CREATE TABLE ${table} (id bigint PRIMARY KEY, n integer, filler text);
      CREATE INDEX ON ${table} (n);
      INSERT INTO ${table} SELECT i, i % 1000, repeat(md5(i::text), 12) FROM generate_series(1, ${rowCount}) AS i;`;
  })
    .toSpliced(0, 0, 'CREATE SCHEMA bulk;')
    .join('\n');
}
