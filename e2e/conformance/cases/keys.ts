import { type ConformanceCase } from '../conformance-case.js';

/** Rows that are told apart, or not, in unusual ways. */
export const KEY_CASES: readonly ConformanceCase[] = [
  {
    name: 'duplicates in keyless tables with partial deletes',
    setup: `
      CREATE TABLE t (a integer, b json, c point, d xml, e box, f text);
      ALTER TABLE t REPLICA IDENTITY FULL;
      INSERT INTO t SELECT i % 3, '{"k":  1}', '(1,2)', '<a/>', '(1,1),(0,0)', NULL FROM generate_series(1, 30) AS i;
      INSERT INTO t SELECT NULL FROM generate_series(1, 6);`,
    traffic: [
      'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = 0 LIMIT 3)',
      "UPDATE t SET f = 'x' WHERE ctid IN (SELECT ctid FROM t WHERE a = 1 LIMIT 4)",
      'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a IS NULL LIMIT 2)',
      "BEGIN; INSERT INTO t SELECT 1, '1', NULL, NULL, NULL, 'y' FROM generate_series(1, 5); DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE f = 'y' LIMIT 2); UPDATE t SET f = 'z' WHERE f = 'y'; COMMIT",
      'UPDATE t SET b = \'{"k": 1}\' WHERE a = 2',
      'BEGIN; UPDATE t SET a = 2 WHERE a = 1; UPDATE t SET a = 1 WHERE a = 2; UPDATE t SET a = 5 WHERE ctid = (SELECT max(ctid::text)::tid FROM t WHERE a = 1); COMMIT',
    ],
  },
  {
    name: 'equal rows that only a blank, a scale or a case tells apart',
    usesExtensions: true,
    setup: `
      CREATE TABLE t (a bpchar, b numeric, c ext.citext, n integer);
      ALTER TABLE t REPLICA IDENTITY FULL;
      INSERT INTO t VALUES ('a', 1.0, 'x', 1), ('a ', 1.0, 'x', 1), ('a  ', 1.00, 'x', 1), ('a', 1.0, 'X', 1), ('a', 1.00, 'x', 1);
      CREATE TABLE k (c ext.citext PRIMARY KEY, n integer);
      INSERT INTO k VALUES ('One', 1), ('two', 2), ('Three', 3);
      CREATE TABLE f (v float8 PRIMARY KEY, n integer);
      INSERT INTO f VALUES ('0', 1), ('NaN', 2), ('Infinity', 3);
      CREATE TABLE m (v numeric PRIMARY KEY, n integer);
      INSERT INTO m VALUES (1.0, 1), (2.50, 2), ('NaN', 3);`,
    traffic: [
      "DELETE FROM t WHERE a::bytea = 'a  '::bytea",
      'UPDATE t SET n = 2 WHERE octet_length(a) = 2',
      "DELETE FROM t WHERE octet_length(a) = 1 AND b::text = '1.00'",
      "UPDATE t SET n = 3 WHERE c::text = 'X'",
      "BEGIN; UPDATE k SET c = 'ONE' WHERE n = 1; UPDATE k SET n = 10 WHERE n = 1; UPDATE k SET c = 'one' WHERE n = 10; COMMIT",
      "BEGIN; DELETE FROM k WHERE n = 2; INSERT INTO k VALUES ('TWO', 20); COMMIT",
      'UPDATE k SET c = upper(c::text)::ext.citext',
      "BEGIN; UPDATE f SET v = '-0' WHERE n = 1; UPDATE f SET n = 5 WHERE n = 1; DELETE FROM f WHERE n = 2; INSERT INTO f VALUES ('NaN', 6); COMMIT",
      'BEGIN; UPDATE m SET v = 1.000 WHERE n = 1; UPDATE m SET n = 5 WHERE n = 1; UPDATE m SET v = 1 WHERE n = 5; UPDATE m SET n = n + 1; COMMIT',
    ],
  },
  {
    name: 'swaps on secondary unique keys',
    needsWhole: true,
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, u integer UNIQUE, v text, UNIQUE (v));
      INSERT INTO t SELECT i, i, 'v' || i FROM generate_series(1, 20) AS i;
      CREATE TABLE p (id integer PRIMARY KEY, u integer, deleted boolean NOT NULL DEFAULT false);
      CREATE UNIQUE INDEX ON p (u) WHERE NOT deleted;
      CREATE UNIQUE INDEX ON p (lower(id || 'x' || u));
      INSERT INTO p SELECT i, i FROM generate_series(1, 10) AS i;`,
    traffic: [
      'BEGIN; UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1; COMMIT',
      "BEGIN; DELETE FROM t WHERE id = 3; UPDATE t SET u = 3, v = 'v3' WHERE id = 4; INSERT INTO t VALUES (3, 4, 'v4'); COMMIT",
      'BEGIN; UPDATE t SET u = NULL WHERE id = 5; UPDATE t SET u = 5 WHERE id = 6; UPDATE t SET u = 6 WHERE id = 5; COMMIT',
      'BEGIN; UPDATE t SET u = u + 100 WHERE u > 10; UPDATE t SET u = u - 99 WHERE u > 100; COMMIT',
      'BEGIN; UPDATE p SET deleted = true WHERE id = 1; INSERT INTO p VALUES (11, 1); UPDATE p SET u = 2 WHERE id = 1; COMMIT',
      'BEGIN; UPDATE p SET deleted = true WHERE id = 2; UPDATE p SET u = 2 WHERE id = 3; UPDATE p SET u = 3 WHERE id = 4; COMMIT',
    ],
  },
  {
    name: 'deferred constraints',
    needsWhole: true,
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, u integer UNIQUE DEFERRABLE INITIALLY DEFERRED);
      CREATE TABLE i (id integer PRIMARY KEY, u integer UNIQUE DEFERRABLE INITIALLY IMMEDIATE);
      CREATE TABLE x (id integer PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&) DEFERRABLE INITIALLY IMMEDIATE);
      CREATE TABLE parent (id integer PRIMARY KEY, child integer);
      CREATE TABLE child (id integer PRIMARY KEY, parent integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
      ALTER TABLE parent ADD FOREIGN KEY (child) REFERENCES child DEFERRABLE INITIALLY DEFERRED;
      INSERT INTO t SELECT g, g FROM generate_series(1, 10) AS g;
      INSERT INTO i SELECT g, g FROM generate_series(1, 10) AS g;
      INSERT INTO x SELECT g, int4range(g * 10, g * 10 + 10) FROM generate_series(1, 5) AS g;`,
    traffic: [
      'BEGIN; UPDATE t SET u = 2 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; COMMIT',
      'UPDATE t SET u = 11 - u',
      'UPDATE i SET u = 11 - u',
      'UPDATE i SET u = u + 1',
      'BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE i SET u = 3 WHERE id = 1; UPDATE i SET u = 100 WHERE id <> 1 AND u = 3; INSERT INTO i VALUES (20, 100); UPDATE i SET u = 101 WHERE id = 20; COMMIT',
      'UPDATE x SET r = int4range(60 - lower(r), 70 - lower(r))',
      'BEGIN; INSERT INTO child VALUES (1, 1); INSERT INTO parent VALUES (1, 1); COMMIT',
      'BEGIN; UPDATE parent SET child = 2; INSERT INTO child VALUES (2, 1); DELETE FROM child WHERE id = 1; COMMIT',
    ],
  },
  {
    name: 'chains of updates over keys inside one transaction',
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, v text, n integer);
      CREATE TABLE f (LIKE t INCLUDING ALL); ALTER TABLE f REPLICA IDENTITY FULL;
      CREATE TABLE c (a integer, b text, n integer, PRIMARY KEY (b, a));
      INSERT INTO t SELECT i, 'v' || i, 0 FROM generate_series(1, 50) AS i;
      INSERT INTO f SELECT * FROM t;
      INSERT INTO c SELECT i, 'b' || i, 0 FROM generate_series(1, 20) AS i;`,
    traffic: ['t', 'f']
      .flatMap((table) => [
        `BEGIN; UPDATE ${table} SET id = 100 WHERE id = 1; UPDATE ${table} SET id = 101 WHERE id = 100; UPDATE ${table} SET id = 102 WHERE id = 101; COMMIT`,
        `BEGIN; UPDATE ${table} SET id = -1 WHERE id = 2; UPDATE ${table} SET id = 2 WHERE id = 3; UPDATE ${table} SET id = 3 WHERE id = -1; COMMIT`,
        `BEGIN; UPDATE ${table} SET id = id + 1000 WHERE id BETWEEN 10 AND 20; UPDATE ${table} SET id = id - 940 WHERE id > 1000; COMMIT`,
        `BEGIN; DELETE FROM ${table} WHERE id = 4; UPDATE ${table} SET id = 4 WHERE id = 5; INSERT INTO ${table} VALUES (5, 'new', 1); UPDATE ${table} SET id = 500 WHERE id = 4; COMMIT`,
        `BEGIN; INSERT INTO ${table} VALUES (600, 'a', 1); UPDATE ${table} SET id = 601 WHERE id = 600; DELETE FROM ${table} WHERE id = 601; INSERT INTO ${table} VALUES (601, 'b', 2); UPDATE ${table} SET id = 600 WHERE id = 601; COMMIT`,
        `BEGIN; UPDATE ${table} SET id = 700 WHERE id = 6; INSERT INTO ${table} VALUES (6, 'again', 1); DELETE FROM ${table} WHERE id = 700; COMMIT`,
        `BEGIN; UPDATE ${table} SET n = n + 1; UPDATE ${table} SET n = n + 1; UPDATE ${table} SET v = v || n; COMMIT`,
      ])
      .concat([
        "BEGIN; UPDATE c SET b = 'x' || a WHERE a < 5; UPDATE c SET a = a + 100 WHERE b LIKE 'x%'; UPDATE c SET n = 1; UPDATE c SET b = 'b' || a - 100 WHERE a > 100; COMMIT",
        "BEGIN; UPDATE c SET a = 6, b = 'tmp' WHERE a = 7; UPDATE c SET a = 7, b = 'b7' WHERE a = 6 AND b = 'b6'; UPDATE c SET b = 'b6' WHERE b = 'tmp'; COMMIT",
      ]),
  },
  {
    name: 'exclusion, check and not valid constraints',
    needsWhole: true,
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, during tsrange, EXCLUDE USING gist (during WITH &&));
      INSERT INTO t VALUES (1, '[2024-01-01,2024-02-01)'), (2, '[2024-02-01,2024-03-01)'), (3, NULL);
      CREATE TABLE c (id integer PRIMARY KEY, n integer, ref integer);
      CREATE TABLE r (id integer PRIMARY KEY);
      INSERT INTO c VALUES (1, -5, 77), (2, 5, NULL);
      ALTER TABLE c ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;
      ALTER TABLE c ADD CONSTRAINT referring FOREIGN KEY (ref) REFERENCES r NOT VALID;`,
    traffic: [
      "BEGIN; UPDATE t SET during = NULL WHERE id = 1; UPDATE t SET during = '[2024-01-01,2024-02-01)' WHERE id = 2; UPDATE t SET during = '[2024-02-01,2024-03-01)' WHERE id = 1; COMMIT",
      "BEGIN; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4, '[2024-01-05,2024-01-06)'); COMMIT",
      'INSERT INTO c VALUES (3, 3, NULL)',
      'BEGIN; INSERT INTO r VALUES (1); UPDATE c SET ref = 1 WHERE id = 2; COMMIT',
      'UPDATE c SET n = 1 WHERE id = 1',
      'DELETE FROM c WHERE id = 3',
    ],
  },
  {
    name: 'identity and serial columns, also with explicit values',
    needsWhole: true,
    setup: `
      CREATE TABLE a (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
      CREATE TABLE d (id integer GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY, v text);
      CREATE TABLE s (id bigserial PRIMARY KEY, v text);
      CREATE TABLE o (k integer PRIMARY KEY, i integer GENERATED ALWAYS AS IDENTITY, v text);
      CREATE TABLE f (i integer GENERATED ALWAYS AS IDENTITY, v text); ALTER TABLE f REPLICA IDENTITY FULL;
      CREATE TABLE only_identity (i integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
      INSERT INTO a (v) VALUES ('1'), ('2'); INSERT INTO f (v) VALUES ('1'), ('2');`,
    traffic: [
      'INSERT INTO a (v) SELECT g::text FROM generate_series(1, 10) AS g',
      "INSERT INTO a (id, v) OVERRIDING SYSTEM VALUE VALUES (500, 'x')",
      "INSERT INTO d (id, v) OVERRIDING USER VALUE VALUES (900, 'y')",
      'UPDATE a SET id = DEFAULT WHERE id = 1',
      "UPDATE a SET v = 'u'",
      "INSERT INTO d (v) VALUES ('1'); INSERT INTO d VALUES (7, 'x'); UPDATE d SET id = 8 WHERE id = 7",
      "INSERT INTO s (v) VALUES ('1'), ('2'); UPDATE s SET id = id + 10",
      "INSERT INTO o (k, v) SELECT g, 'a' FROM generate_series(1, 5) AS g",
      "BEGIN; UPDATE o SET v = 'b'; UPDATE o SET i = DEFAULT WHERE k = 2; UPDATE o SET k = 20 WHERE k = 3; UPDATE o SET k = 30, i = DEFAULT WHERE k = 4; COMMIT",
      "INSERT INTO f (v) VALUES ('1'), ('3'); UPDATE f SET v = 'x' WHERE i = 1; UPDATE f SET i = DEFAULT WHERE i = 2; DELETE FROM f WHERE i = 3",
      'INSERT INTO only_identity DEFAULT VALUES; INSERT INTO only_identity DEFAULT VALUES; UPDATE only_identity SET i = DEFAULT WHERE i = 1; DELETE FROM only_identity WHERE i = 2',
    ],
  },
  {
    name: 'generated stored columns',
    since: 12,
    needsWhole: true,
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, a integer, g integer GENERATED ALWAYS AS (a * 2) STORED, b text, h text GENERATED ALWAYS AS (upper(b)) STORED UNIQUE);
      CREATE TABLE f (a integer, g integer GENERATED ALWAYS AS (a * 2) STORED, b json); ALTER TABLE f REPLICA IDENTITY FULL;
      CREATE TABLE m (g integer GENERATED ALWAYS AS (1) STORED, k integer GENERATED ALWAYS AS IDENTITY, id integer PRIMARY KEY);
      INSERT INTO t (id, a, b) SELECT i, i, 'b' || i FROM generate_series(1, 10) AS i;
      INSERT INTO f SELECT i % 3 FROM generate_series(1, 9) AS i;`,
    traffic: [
      "INSERT INTO t (id, a, b) VALUES (11, 11, 'b11'), (12, NULL, NULL)",
      "UPDATE t SET a = a + 1; UPDATE t SET b = b || 'x' WHERE id < 5",
      "BEGIN; UPDATE t SET b = 'swap' WHERE id = 1; UPDATE t SET b = 'B1X' WHERE id = 2; UPDATE t SET b = 'b2x' WHERE id = 1; COMMIT",
      'UPDATE t SET id = id + 100 WHERE id < 4',
      'INSERT INTO f (a) VALUES (1), (1); UPDATE f SET a = 7 WHERE a = 2; DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f WHERE a = 1)',
      'INSERT INTO m (id) VALUES (1), (2); UPDATE m SET k = DEFAULT WHERE id = 1; UPDATE m SET id = 3 WHERE id = 2',
      'DELETE FROM t WHERE g > 20',
    ],
  },
  {
    name: 'generated columns in the key',
    since: 18,
    setup: `
      CREATE TABLE t (a integer, b integer, g integer GENERATED ALWAYS AS (a * 10 + b) STORED, v text, PRIMARY KEY (a, g));
      CREATE TABLE o (a integer, g integer GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY);
      CREATE TABLE f (LIKE t INCLUDING ALL); ALTER TABLE f REPLICA IDENTITY FULL;
      INSERT INTO t (a, b, v) SELECT i % 3, i, 'v' FROM generate_series(1, 12) AS i; INSERT INTO f (a, b, v) SELECT a, b, v FROM t; INSERT INTO o VALUES (1), (2), (3);`,
    traffic: ['t', 'f']
      .flatMap((table) => [
        `INSERT INTO ${table} (a, b, v) VALUES (1, 50, 'n'), (1, 51, 'n')`,
        `UPDATE ${table} SET v = 'x' WHERE b < 4`,
        `BEGIN; UPDATE ${table} SET b = b + 100 WHERE b > 50; UPDATE ${table} SET v = 'y' WHERE b > 150; UPDATE ${table} SET a = 7 WHERE b = 6; COMMIT`,
        `DELETE FROM ${table} WHERE b = 5`,
      ])
      .concat(['UPDATE o SET a = a; UPDATE o SET a = a + 10 WHERE a > 1; DELETE FROM o WHERE g = 2']),
  },
  {
    name: 'generated virtual columns',
    since: 18,
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, a integer, v integer GENERATED ALWAYS AS (a * 2) VIRTUAL, s integer GENERATED ALWAYS AS (a + 1) STORED);
      CREATE TABLE f (a integer NOT NULL, v integer GENERATED ALWAYS AS (a * 2)); CREATE UNIQUE INDEX i ON f (a); ALTER TABLE f REPLICA IDENTITY USING INDEX i;
      INSERT INTO t (id, a) SELECT i, i FROM generate_series(1, 10) AS i; INSERT INTO f VALUES (1), (3), (2);`,
    traffic: [
      'INSERT INTO t (id, a) VALUES (11, 11); UPDATE t SET a = a * 10 WHERE id < 5; UPDATE t SET id = 20 WHERE id = 6; DELETE FROM t WHERE v = 14',
      'DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f WHERE a = 1); UPDATE f SET a = 5 WHERE v = 4; INSERT INTO f VALUES (9)',
    ],
  },
  {
    name: 'keys under a collation that finds different texts equal',
    since: 12,
    setup: `
      CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE t (k text COLLATE ci PRIMARY KEY, n integer);
      CREATE TABLE f (k text COLLATE ci, n integer); ALTER TABLE f REPLICA IDENTITY FULL;
      INSERT INTO t VALUES ('Abc', 1), ('def', 2); INSERT INTO f VALUES ('Abc', 1), ('abc', 1), ('ABC', 1);`,
    traffic: [
      "BEGIN; UPDATE t SET k = 'ABC' WHERE n = 1; UPDATE t SET n = 3 WHERE k = 'abc'; DELETE FROM t WHERE k = 'DEF'; INSERT INTO t VALUES ('DEF', 4); COMMIT",
      'DELETE FROM f WHERE k COLLATE "C" = \'abc\'',
      'UPDATE f SET n = 2 WHERE k COLLATE "C" = \'ABC\'',
    ],
  },
];
