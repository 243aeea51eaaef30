import { type ConformanceCase } from '../conformance-case.js';

const PARTITIONED = `
    CREATE TABLE m (day date NOT NULL, region text NOT NULL, n integer, v text, PRIMARY KEY (day, region)) PARTITION BY RANGE (day);
    CREATE TABLE m_23 PARTITION OF m FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
    CREATE TABLE m_24 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (region);
    CREATE TABLE m_24_a PARTITION OF m_24 FOR VALUES IN ('a');
    CREATE TABLE m_24_rest PARTITION OF m_24 DEFAULT;
    CREATE TABLE m_rest PARTITION OF m DEFAULT;
    CREATE TABLE attached (v text, n integer, region text NOT NULL, gone integer, day date NOT NULL, PRIMARY KEY (day, region));
    ALTER TABLE attached DROP COLUMN gone;
    ALTER TABLE m ATTACH PARTITION attached FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO m SELECT '2022-06-01'::date + i * 30, chr(97 + i % 3), i, 'v' || i FROM generate_series(0, 18) AS i;
    INSERT INTO m SELECT '2024-01-01'::date + i * 30, 'a', i, 'w' || i FROM generate_series(0, 10) AS i;
    INSERT INTO m SELECT '2025-01-01'::date + i * 30, 'a', i, 'x' || i FROM generate_series(0, 10) AS i;
    CREATE TABLE h (id integer, v text) PARTITION BY HASH (id);
    CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    ALTER TABLE h0 REPLICA IDENTITY FULL; ALTER TABLE h1 REPLICA IDENTITY FULL;
    INSERT INTO h SELECT i, 'v' FROM generate_series(1, 20) AS i;`;

/** Tables of unusual kinds and shapes. */
export const TABLE_CASES: readonly ConformanceCase[] = [
  {
    name: 'partition leaves, row movement and sub-partitions',
    since: 11,
    setup: PARTITIONED,
    traffic: [
      "INSERT INTO m VALUES ('2023-05-05', 'z', 1, 'n'), ('2024-05-05', 'z', 1, 'n'), ('2030-05-05', 'z', 1, 'n'), ('2025-05-05', 'z', 1, 'n')",
      "UPDATE m SET day = day + 3650 WHERE n < 5 AND region <> 'z'",
      "UPDATE m SET region = 'q' WHERE region = 'a' AND n > 7",
      "BEGIN; UPDATE m SET day = '2024-12-31' WHERE v = 'n' AND day = '2030-05-05'; UPDATE m SET v = 'moved' WHERE day = '2024-12-31'; UPDATE m SET day = '2031-01-01' WHERE day = '2024-12-31'; COMMIT",
      'DELETE FROM m WHERE n = 3',
      'UPDATE h SET id = id + 1 WHERE id % 3 = 0; DELETE FROM h WHERE id = 5; UPDATE h SET v = NULL WHERE id > 15',
    ],
  },
  {
    name: 'truncate of partitioned tables and of partitions that have some',
    since: 11,
    needsWhole: true,
    setup: PARTITIONED,
    traffic: [
      "BEGIN; TRUNCATE m_24; INSERT INTO m VALUES ('2024-02-02', 'a', 1, 'after'); COMMIT",
      'TRUNCATE h',
      "INSERT INTO h SELECT i, 'again' FROM generate_series(1, 4) AS i",
    ],
  },
  {
    name: 'partitions of PostgreSQL 10',
    until: 10,
    setup: `
      CREATE TABLE m (day date NOT NULL, v text) PARTITION BY RANGE (day);
      CREATE TABLE m_23 PARTITION OF m (PRIMARY KEY (day)) FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
      CREATE TABLE m_24 PARTITION OF m (PRIMARY KEY (day)) FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      INSERT INTO m SELECT '2023-06-01'::date + i * 30, 'v' || i FROM generate_series(0, 18) AS i;`,
    traffic: [
      "UPDATE m SET v = 'x' WHERE day < '2024-01-01'",
      "DELETE FROM m WHERE day > '2024-05-01'",
      "INSERT INTO m VALUES ('2023-01-01', 'n')",
    ],
  },
  {
    name: 'inheritance',
    setup: `
      CREATE TABLE base (id integer PRIMARY KEY, v text);
      CREATE TABLE child (extra integer, PRIMARY KEY (id)) INHERITS (base);
      CREATE TABLE grandchild (more text, PRIMARY KEY (id)) INHERITS (child);
      INSERT INTO base VALUES (1, 'b'); INSERT INTO child VALUES (1, 'c', 1), (2, 'c', 2); INSERT INTO grandchild VALUES (1, 'g', 1, 'm');`,
    traffic: [
      "UPDATE base SET v = v || '!'",
      "INSERT INTO base VALUES (5, 'b'); INSERT INTO child VALUES (5, 'c', 5); INSERT INTO grandchild VALUES (5, 'g', 5, NULL)",
      'DELETE FROM child WHERE id = 1',
      'UPDATE ONLY base SET id = 6 WHERE id = 5',
    ],
  },
  {
    name: 'truncate of inheriting tables, and of one only',
    needsWhole: true,
    since: 11,
    setup: `
      CREATE TABLE base (id integer PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base);
      CREATE TABLE other (id integer PRIMARY KEY); CREATE TABLE other_child (PRIMARY KEY (id)) INHERITS (other);
      INSERT INTO base VALUES (1), (2); INSERT INTO child VALUES (3), (4); INSERT INTO other VALUES (1); INSERT INTO other_child VALUES (2);`,
    traffic: [
      'TRUNCATE ONLY base',
      'INSERT INTO base VALUES (9)',
      'BEGIN; INSERT INTO other VALUES (5); TRUNCATE other; INSERT INTO other_child VALUES (6); COMMIT',
    ],
  },
  {
    name: 'truncate of one, several, cascade and restart identity',
    needsWhole: true,
    since: 11,
    setup: `
      CREATE TABLE p (id serial PRIMARY KEY, v text);
      CREATE TABLE c (id serial PRIMARY KEY, p integer REFERENCES p);
      CREATE TABLE gc (id serial PRIMARY KEY, c integer REFERENCES c);
      CREATE TABLE self (id integer PRIMARY KEY, up integer REFERENCES self);
      CREATE TABLE lone (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
      CREATE TABLE bare (v text); ALTER TABLE bare REPLICA IDENTITY FULL;
      INSERT INTO p (v) SELECT 'x' FROM generate_series(1, 10); INSERT INTO c (p) SELECT id FROM p; INSERT INTO gc (c) SELECT id FROM c;
      INSERT INTO self VALUES (1, NULL), (2, 1); INSERT INTO lone (v) VALUES ('a'); INSERT INTO bare VALUES ('a'), ('a');`,
    traffic: [
      "BEGIN; INSERT INTO lone (v) VALUES ('b'); TRUNCATE lone RESTART IDENTITY; INSERT INTO lone (v) VALUES ('c'); COMMIT",
      "BEGIN; UPDATE p SET v = 'y'; TRUNCATE p CASCADE; INSERT INTO p (v) VALUES ('z'); INSERT INTO c (p) SELECT id FROM p; COMMIT",
      'TRUNCATE self; INSERT INTO self VALUES (7, 7)',
      'BEGIN; TRUNCATE lone; ROLLBACK',
      "BEGIN; SAVEPOINT a; TRUNCATE bare; ROLLBACK TO a; INSERT INTO bare VALUES ('b'); COMMIT",
      'TRUNCATE gc, c, p, bare RESTART IDENTITY',
      "INSERT INTO p (v) VALUES ('end'); INSERT INTO c (p) VALUES (1); INSERT INTO bare VALUES ('end')",
      'BEGIN; TRUNCATE gc; TRUNCATE gc; INSERT INTO gc (c) VALUES (1); DELETE FROM gc; INSERT INTO gc (c) VALUES (1); COMMIT',
    ],
  },
  {
    name: 'tables without columns',
    setup: `
      CREATE TABLE none (); ALTER TABLE none REPLICA IDENTITY FULL;
      CREATE TABLE lost (a integer); ALTER TABLE lost REPLICA IDENTITY FULL;
      INSERT INTO none DEFAULT VALUES; INSERT INTO lost VALUES (1), (2), (3);
      ALTER TABLE lost DROP COLUMN a;`,
    traffic: [
      'INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES',
      'DELETE FROM none WHERE ctid = (SELECT min(ctid::text)::tid FROM none)',
      'DELETE FROM lost WHERE ctid = (SELECT min(ctid::text)::tid FROM lost)',
      'INSERT INTO lost DEFAULT VALUES',
    ],
  },
  {
    name: 'columns dropped before the load, and altered',
    setup: `
      CREATE TABLE t (gone1 integer, id integer PRIMARY KEY, gone2 text, v text, gone3 integer, w integer);
      INSERT INTO t SELECT i, i, 'g', 'v' || i, i, i FROM generate_series(1, 10) AS i;
      ALTER TABLE t DROP COLUMN gone1, DROP COLUMN gone2, DROP COLUMN gone3, ADD COLUMN added text DEFAULT 'd', ADD COLUMN filled integer NOT NULL DEFAULT 7;
      ALTER TABLE t ALTER w TYPE bigint, ALTER w SET DEFAULT 3;
      CREATE TABLE f (gone json, a integer, b text); INSERT INTO f VALUES ('1', 1, 'b'), ('2', 1, 'b'), (NULL, 2, NULL);
      ALTER TABLE f DROP COLUMN gone; ALTER TABLE f REPLICA IDENTITY FULL;`,
    traffic: [
      "INSERT INTO t (id, v) VALUES (11, 'x'); UPDATE t SET added = 'y' WHERE id > 5; UPDATE t SET id = 50 WHERE id = 1; DELETE FROM t WHERE id = 2",
      "DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f WHERE a = 1); UPDATE f SET b = 'c' WHERE a = 2; INSERT INTO f VALUES (3, 'x')",
    ],
  },
  {
    name: 'unlogged and temporary tables beside',
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, v text);
      CREATE UNLOGGED TABLE u (id integer PRIMARY KEY, v text);
      INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (1, 'a');`,
    traffic: [
      "BEGIN; INSERT INTO u VALUES (2, 'b'); CREATE TEMP TABLE tmp ON COMMIT DROP AS SELECT 5 AS id; INSERT INTO t SELECT id, 'from temp' FROM tmp; UPDATE u SET v = 'c'; COMMIT",
      "UPDATE u SET v = 'only unlogged'",
      'INSERT INTO t SELECT id + 10, v FROM u',
    ],
  },
  {
    name: 'row-level security is on',
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, owner text);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
      CREATE POLICY nobody ON t USING (owner = 'nobody');
      INSERT INTO t VALUES (1, 'a'), (2, 'nobody');`,
    traffic: ["INSERT INTO t VALUES (3, 'b'); UPDATE t SET owner = 'c' WHERE id = 1; DELETE FROM t WHERE id = 2"],
  },
  {
    name: 'typed tables and tables of a view',
    setup: `
      CREATE TYPE row_type AS (id integer, v text);
      CREATE TABLE t OF row_type (PRIMARY KEY (id));
      CREATE VIEW w AS SELECT id, v FROM t;
      INSERT INTO t VALUES (1, 'a');`,
    traffic: ["INSERT INTO w VALUES (2, 'through the view'); UPDATE w SET v = 'x' WHERE id = 1"],
  },
];
