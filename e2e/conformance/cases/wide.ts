import { type ConformanceCase } from '../conformance-case.js';

const COLUMNS = Array.from({ length: 1599 }, (_, index) => `c${index + 1}`);
const MEBIBYTE = 1024 * 1024;
const ROW_BYTES = (process.env['SLUICE_CONFORMANCE_FULL'] === undefined ? 60 : 200) * MEBIBYTE;

/** At the limits of PostgreSQL. */
export const WIDE_CASES: readonly ConformanceCase[] = [
  {
    name: '1,600 columns',
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, ${COLUMNS.map((name) => `${name} smallint`).join(', ')});
      INSERT INTO t (id, c1, c1599) SELECT i, i, i FROM generate_series(1, 5) AS i;
      INSERT INTO t SELECT 10, ${COLUMNS.map((_, index) => index).join(', ')};`,
    traffic: [
      'INSERT INTO t (id, c2, c800) VALUES (11, 1, 2), (12, NULL, NULL)',
      `INSERT INTO t SELECT 13, ${COLUMNS.map((_, index) => -index).join(', ')}`,
      'UPDATE t SET c1 = c1 + 1, c1599 = 7',
      'UPDATE t SET id = id + 100 WHERE id IN (1, 10)',
      'DELETE FROM t WHERE id = 2',
      'BEGIN; UPDATE t SET c3 = 1 WHERE id = 3; UPDATE t SET id = 33 WHERE id = 3; UPDATE t SET c4 = 1 WHERE id = 33; COMMIT',
    ],
  },
  {
    name: '1,600 columns without key',
    setup: `
      CREATE TABLE f (id integer, ${COLUMNS.map((name) => `${name} boolean`).join(', ')});
      ALTER TABLE f REPLICA IDENTITY FULL;
      INSERT INTO f (id, c1) VALUES (1, true), (1, true), (2, false), (3, NULL);`,
    traffic: [
      'UPDATE f SET c1599 = true WHERE id = 2',
      'DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f WHERE id = 1)',
      'BEGIN; INSERT INTO f (id, c5) VALUES (4, true); UPDATE f SET id = 5 WHERE id = 4; DELETE FROM f WHERE id = 3; COMMIT',
    ],
  },
  {
    name: `a row of ${ROW_BYTES / MEBIBYTE} MB`,
    setup: 'CREATE TABLE t (id integer PRIMARY KEY, v text, n integer);',
    traffic: [
      `INSERT INTO t VALUES (1, repeat('0123456789abcdef', ${ROW_BYTES / 16}), 1)`,
      'UPDATE t SET n = 2',
      'UPDATE t SET id = 2',
      "UPDATE t SET v = 'short'",
    ],
  },
];
