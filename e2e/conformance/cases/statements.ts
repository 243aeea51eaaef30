import { type ConformanceCase } from '../conformance-case.js';

/** The ways of SQL to change rows. */
export const STATEMENT_CASES: readonly ConformanceCase[] = [
  {
    name: 'COPY into the source',
    setup:
      'CREATE TABLE t (id integer PRIMARY KEY, v text, w integer DEFAULT 5); CREATE TABLE f (a integer, b text); ALTER TABLE f REPLICA IDENTITY FULL;',
    traffic: [
      `COPY t (id, v) FROM PROGRAM 'seq 1 3000 | sed "s/$/\\tvalue/"'`,
      `BEGIN; COPY f FROM PROGRAM 'printf "1\\tx\\n1\\tx\\n2\\t\\\\\\\\N\\n"'; DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f); COMMIT`,
      `BEGIN; DELETE FROM t WHERE id > 10; COPY t FROM PROGRAM 'printf "11,a,1\\n12,,2\\n"' WITH (FORMAT csv); COMMIT`,
    ],
  },
  {
    name: 'ON CONFLICT',
    setup:
      'CREATE TABLE t (id integer PRIMARY KEY, u text UNIQUE, n integer DEFAULT 0); INSERT INTO t SELECT g, g::text FROM generate_series(1, 10) AS g;',
    traffic: [
      "INSERT INTO t SELECT g, 'n' || g FROM generate_series(5, 15) AS g ON CONFLICT DO NOTHING",
      "INSERT INTO t SELECT g, 'm' || g FROM generate_series(8, 18) AS g ON CONFLICT (id) DO UPDATE SET n = t.n + 1, u = excluded.u",
      "INSERT INTO t VALUES (100, '1') ON CONFLICT (u) DO UPDATE SET id = 100, n = 7",
      "BEGIN; INSERT INTO t VALUES (200, 'a') ON CONFLICT DO NOTHING; INSERT INTO t VALUES (200, 'b') ON CONFLICT (id) DO UPDATE SET u = 'c'; COMMIT",
    ],
  },
  {
    name: 'MERGE',
    since: 15,
    setup:
      'CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT g, g::text FROM generate_series(1, 10) AS g;',
    traffic: [
      `MERGE INTO t USING (SELECT g, 'm' || g AS v FROM generate_series(5, 15) AS g) AS s ON t.id = s.g
         WHEN MATCHED AND s.g % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT VALUES (s.g, s.v)`,
    ],
  },
  {
    name: 'writable CTEs and UPDATE FROM',
    setup: `CREATE TABLE a (id integer PRIMARY KEY, v text); CREATE TABLE b (id integer PRIMARY KEY, v text); CREATE TABLE c (v text); ALTER TABLE c REPLICA IDENTITY FULL;
      INSERT INTO a SELECT g, g::text FROM generate_series(1, 10) AS g;`,
    traffic: [
      'WITH gone AS (DELETE FROM a WHERE id < 4 RETURNING *), kept AS (UPDATE a SET v = v || v WHERE id > 7 RETURNING v) , x AS (INSERT INTO c SELECT v FROM kept) INSERT INTO b SELECT * FROM gone',
      'UPDATE a SET v = b.v FROM b WHERE a.id = b.id + 3',
      'DELETE FROM a USING b WHERE a.id = b.id + 4',
      'WITH moved AS (DELETE FROM b RETURNING *) INSERT INTO a SELECT * FROM moved',
    ],
  },
  {
    name: 'triggers and rules of the source that change other tables',
    setup: `
      CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE audit (id serial PRIMARY KEY, what text); CREATE TABLE counts (k text PRIMARY KEY, n integer);
      CREATE TABLE ruled (id integer PRIMARY KEY, v text);
      INSERT INTO counts VALUES ('t', 0);
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        INSERT INTO audit (what) VALUES (TG_OP); UPDATE counts SET n = n + 1; IF TG_OP <> 'DELETE' THEN NEW.v := NEW.v || '!'; RETURN NEW; END IF; RETURN OLD; END $f$;
      ALTER FUNCTION note() SET search_path FROM CURRENT;
      CREATE TRIGGER note BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE PROCEDURE note();
      CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO audit (what) VALUES ('rule');
      CREATE RULE never AS ON DELETE TO ruled DO INSTEAD NOTHING;
      CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (id integer PRIMARY KEY, p integer REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE orphan (id integer PRIMARY KEY, p integer REFERENCES parent ON DELETE SET NULL);
      INSERT INTO parent SELECT generate_series(1, 5); INSERT INTO child SELECT g, g FROM generate_series(1, 5) AS g; INSERT INTO orphan SELECT g, g FROM generate_series(1, 5) AS g;`,
    traffic: [
      "INSERT INTO t SELECT g, 'v' FROM generate_series(1, 5) AS g; UPDATE t SET v = 'w' WHERE id < 3; DELETE FROM t WHERE id = 5",
      "INSERT INTO ruled VALUES (1, 'a'), (2, 'b'); DELETE FROM ruled; UPDATE ruled SET v = 'c'",
      'DELETE FROM parent WHERE id = 1; UPDATE child SET p = 3 WHERE p = 4; DELETE FROM orphan WHERE p = 5; UPDATE parent SET id = 50 WHERE id = 5',
      "BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO t VALUES (10, 'quiet'); DELETE FROM parent WHERE id = 2; DELETE FROM ruled WHERE id = 1; COMMIT",
    ],
  },
  {
    name: 'updates that change nothing',
    setup: `CREATE TABLE k (id integer PRIMARY KEY); CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE f (v text); ALTER TABLE f REPLICA IDENTITY FULL;
      INSERT INTO k VALUES (1), (2); INSERT INTO t VALUES (1, 'a'), (2, NULL); INSERT INTO f VALUES ('a'), ('a'), (NULL);`,
    traffic: [
      'UPDATE k SET id = id; UPDATE t SET v = v; UPDATE f SET v = v',
      'BEGIN; UPDATE k SET id = id + 10; UPDATE k SET id = id - 10; UPDATE t SET id = -id; UPDATE t SET id = -id; COMMIT',
      'UPDATE t SET id = id WHERE false',
    ],
  },
  {
    name: 'locks, cursors, functions and generated series of statements',
    setup: `CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL DEFAULT 0); INSERT INTO t SELECT generate_series(1, 50);
      CREATE FUNCTION bump(how_many integer) RETURNS integer LANGUAGE plpgsql AS $f$ DECLARE r record; c integer := 0; BEGIN
        FOR r IN SELECT * FROM t ORDER BY id LIMIT how_many FOR UPDATE LOOP UPDATE t SET n = r.id WHERE id = r.id; c := c + 1; END LOOP; RETURN c; END $f$;`,
    traffic: [
      'SELECT bump(20)',
      'BEGIN; DECLARE c CURSOR FOR SELECT * FROM t ORDER BY id FOR UPDATE; FETCH 3 FROM c; UPDATE t SET n = -1 WHERE CURRENT OF c; DELETE FROM t WHERE id = 1; CLOSE c; COMMIT',
      'BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT * FROM t FOR SHARE; UPDATE t SET n = n + 1 WHERE id = 30; COMMIT',
    ],
  },
];
