import { type ConformanceCase, type TrafficSessions } from '../conformance-case.js';

const SUBTRANSACTIONS = process.env['SLUICE_CONFORMANCE_FULL'] === undefined ? 10_000 : 100_000;
/** Larger than what apply gathers before it writes, so that it is written while it arrives. */
const LARGE_ROWS = 1_100;

const INTERLEAVED_SETUP =
  'CREATE TABLE t (id integer PRIMARY KEY, who text, n integer); INSERT INTO t SELECT g, NULL, 0 FROM generate_series(1, 40) AS g;';

/** How transactions begin, end, and lie across each other. */
export const TRANSACTION_CASES: readonly ConformanceCase[] = [
  {
    name: 'savepoints and rolled back sub-transactions',
    setup:
      'CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE f (v text); ALTER TABLE f REPLICA IDENTITY FULL;',
    traffic: [
      "BEGIN; INSERT INTO t VALUES (1, 'a'); SAVEPOINT a; INSERT INTO t VALUES (2, 'b'); UPDATE t SET v = 'x'; ROLLBACK TO a; INSERT INTO t VALUES (3, 'c'); SAVEPOINT b; DELETE FROM t WHERE id = 1; RELEASE b; COMMIT",
      "BEGIN; SAVEPOINT a; SAVEPOINT b; SAVEPOINT c; INSERT INTO t VALUES (4, 'd'); INSERT INTO f VALUES ('d'); RELEASE b; ROLLBACK TO a; INSERT INTO t VALUES (4, 'e'); COMMIT",
      "BEGIN; SAVEPOINT a; INSERT INTO t VALUES (5, 'f'); ROLLBACK TO a; COMMIT",
      "BEGIN; INSERT INTO f VALUES ('1'); SAVEPOINT a; DELETE FROM f; INSERT INTO f VALUES ('2'); ROLLBACK TO a; UPDATE f SET v = '3'; COMMIT",
    ],
  },
  {
    name: `${SUBTRANSACTIONS} sub-transactions in one transaction`,
    setup: 'CREATE TABLE t (id integer PRIMARY KEY, n integer);',
    traffic: [
      `DO $do$ BEGIN FOR i IN 1..${SUBTRANSACTIONS} LOOP
         BEGIN INSERT INTO t VALUES (i, 0); IF i % 3 = 0 THEN RAISE EXCEPTION 'back'; END IF;
         EXCEPTION WHEN raise_exception THEN UPDATE t SET n = n + 1 WHERE id = i - 1; END;
       END LOOP; END $do$`,
    ],
  },
  {
    name: 'empty transactions and ones with rolled back work only',
    setup: 'CREATE TABLE t (id integer PRIMARY KEY); CREATE UNLOGGED TABLE u (id integer);',
    traffic: [
      'BEGIN; COMMIT',
      'BEGIN; SELECT txid_current(); COMMIT',
      'BEGIN; INSERT INTO t VALUES (1); ROLLBACK',
      'BEGIN; SAVEPOINT a; INSERT INTO t VALUES (1); ROLLBACK TO a; COMMIT',
      'INSERT INTO u VALUES (1)',
      "SELECT pg_logical_emit_message(true, 'somebody else', 'a message'), pg_logical_emit_message(false, 'somebody else', 'another')",
      'INSERT INTO t VALUES (2)',
    ],
  },
  { name: 'commits in an order unlike that of BEGIN', setup: INTERLEAVED_SETUP, traffic: interleave },
  {
    name: 'two-phase commit',
    setup: 'CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE log (id serial PRIMARY KEY, what text);',
    traffic: [
      "BEGIN; INSERT INTO t VALUES (1, 'a'); SAVEPOINT s; INSERT INTO t VALUES (2, 'b'); ROLLBACK TO s; PREPARE TRANSACTION 'conformance one'",
      "BEGIN; INSERT INTO t VALUES (3, 'c'); PREPARE TRANSACTION 'conformance two'",
      "INSERT INTO log (what) VALUES ('between')",
      "COMMIT PREPARED 'conformance two'",
      "UPDATE t SET v = 'd' WHERE id = 3",
      "ROLLBACK PREPARED 'conformance one'",
      "BEGIN; UPDATE t SET id = 4 WHERE id = 3; INSERT INTO t VALUES (3, 'again'); PREPARE TRANSACTION 'conformance three'",
      "COMMIT PREPARED 'conformance three'",
    ],
  },
  {
    name: 'a transaction of more than 100 MB beside small ones',
    setup:
      'CREATE TABLE big (id integer PRIMARY KEY, v text); CREATE TABLE small (id integer PRIMARY KEY, n integer); INSERT INTO small VALUES (0, 0);',
    traffic: async (sessions) => {
      const [large, small] = [await sessions.open(), await sessions.open()];
      await large.query('BEGIN');
      for (let part = 0; part < 10; part += 1) {
        const first = (part * LARGE_ROWS) / 10;
        await large.query(
          `INSERT INTO big SELECT i, repeat(md5(i::text), 3200) FROM generate_series(${first + 1}, ${first + LARGE_ROWS / 10}) AS i`,
        );
        await small.query(`INSERT INTO small VALUES (${part + 1}, ${part})`);
        await small.query('UPDATE small SET n = n + 1');
      }
      await large.query('UPDATE big SET id = -id WHERE id % 10 = 0');
      await large.query('DELETE FROM big WHERE id % 7 = 0');
      await large.query('COMMIT');
      await small.query("UPDATE big SET v = 'short' WHERE id % 5 = 0");
    },
  },
  {
    name: 'a transaction that fills and empties a table again and again',
    setup:
      'CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE TABLE f (id integer, v text); ALTER TABLE f REPLICA IDENTITY FULL;',
    traffic: [
      `DO $do$ BEGIN FOR round IN 1..20 LOOP
         INSERT INTO t SELECT g, round FROM generate_series(1, 300) AS g; UPDATE t SET id = id + 1000; UPDATE t SET v = v || 'x' WHERE id % 2 = 0;
         IF round < 20 THEN DELETE FROM t; END IF;
         INSERT INTO f SELECT g % 5, round FROM generate_series(1, 10) AS g; UPDATE f SET id = id + 1; DELETE FROM f WHERE id > 4;
       END LOOP; END $do$`,
    ],
  },
  {
    name: 'one transaction that touches every table with a counter',
    isLast: true,
    setup: 'CREATE TABLE done (tables integer PRIMARY KEY);',
    traffic: [
      `DO $do$ DECLARE t regclass; k integer := 0; BEGIN
         FOR t IN SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'n' AND a.atttypid = 'integer'::regtype
           WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relispartition AND c.relnamespace::regnamespace::text ~ '^"?type' ORDER BY c.relname, c.oid LOOP
           EXECUTE format('UPDATE %s SET n = n + 10000', t); k := k + 1;
         END LOOP;
         INSERT INTO done VALUES (k);
       END $do$`,
    ],
  },
];

/** Six sessions, each with a row of its own in hand; the order of commits depends on nothing else. */
async function interleave(sessions: TrafficSessions): Promise<void> {
  const open = await Promise.all(Array.from({ length: 6 }, () => sessions.open()));
  for (let round = 0; round < 10; round += 1) {
    for (const [index, session] of open.entries()) {
      await session.query(`BEGIN; UPDATE t SET who = 'session ${index}', n = n + 1 WHERE id % 6 = ${index}`);
    }
    for (const [index, session] of open.entries()) {
      await session.query(`SAVEPOINT a; INSERT INTO t VALUES (${1000 + round * 10 + index}, 'x', ${round})`);
      if ((index + round) % 3 === 0) await session.query('ROLLBACK TO a');
    }
    const order = [...open.keys()];
    order.sort((a, b) => ((a * 5 + round) % 6) - ((b * 5 + round) % 6));
    for (const index of order) await open[index]?.query(index === round % 6 ? 'ROLLBACK' : 'COMMIT');
    await open[round % 6]?.query(`UPDATE t SET who = 'last', n = n + 100 WHERE id % 6 = ${(round + 1) % 6}`);
  }
}
