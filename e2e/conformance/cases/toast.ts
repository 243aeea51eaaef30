import { type ConformanceCase } from '../conformance-case.js';
import { IDENTITIES } from './identities.js';

/** Does not compress, and does not fit into a page. */
const external = (seed: string): string =>
  `(SELECT string_agg(md5(${seed} || '/' || g), '') FROM generate_series(1, 200) AS g)`;

const KINDS: Readonly<Record<string, { type: string; storage: string; value: (seed: string) => string }>> = {
  inline: { type: 'text', storage: 'EXTENDED', value: (seed) => `left(md5(${seed}), 20)` },
  compressed: { type: 'text', storage: 'EXTENDED', value: (seed) => `repeat(left(md5(${seed}), 8), 1000)` },
  external: { type: 'text', storage: 'EXTENDED', value: external },
  'storage external': { type: 'text', storage: 'EXTERNAL', value: (seed) => `repeat(md5(${seed}), 200)` },
  'storage main': { type: 'text', storage: 'MAIN', value: external },
  bytea: { type: 'bytea', storage: 'EXTERNAL', value: (seed) => `decode(repeat(md5(${seed}), 300), 'hex')` },
  json: { type: 'json', storage: 'EXTENDED', value: (seed) => `('{"a":  "' || ${external(seed)} || '"}')::json` },
  'text[]': {
    type: 'text[]',
    storage: 'EXTENDED',
    value: (seed) => `(SELECT array_agg(md5(${seed} || g)) FROM generate_series(1, 200) AS g)`,
  },
};

/** Every way in which a value stands in a row × every identity × what can happen to the row. */
export const TOAST_CASES: readonly ConformanceCase[] = Object.entries(KINDS)
  .flatMap(([kind, { type, storage, value }]) =>
    Object.entries(IDENTITIES).map(([identity, define]) => ({
      name: `toast ${kind}, ${identity}`,
      setup: `
      CREATE TABLE t (id integer NOT NULL, a ${type}, b ${type}, n integer);
      ALTER TABLE t ALTER a SET STORAGE ${storage}, ALTER b SET STORAGE ${storage};
      ${define('t')}
      INSERT INTO t SELECT i, ${value(`'a' || i`)}, ${value(`'b' || i`)}, 0 FROM generate_series(1, 16) AS i;`,
      traffic: [
        `INSERT INTO t SELECT i, ${value(`'a' || i`)}, ${value(`'b' || i`)}, 0 FROM generate_series(17, 24) AS i`,
        'UPDATE t SET n = 1',
        `UPDATE t SET a = ${value(`'c' || id`)} WHERE id IN (1, 17)`,
        'UPDATE t SET b = NULL WHERE id IN (2, 18)',
        `UPDATE t SET b = ${value(`'d' || id`)}, n = 2 WHERE id IN (2, 18)`,
        'UPDATE t SET a = b WHERE id = 3',
        'UPDATE t SET a = b, b = a WHERE id = 4',
        'UPDATE t SET id = id + 100 WHERE id IN (5, 19)',
        'UPDATE t SET id = id + 100, a = NULL WHERE id = 6',
        'BEGIN; UPDATE t SET n = 3 WHERE id = 7; UPDATE t SET a = b WHERE id = 7; UPDATE t SET n = 4 WHERE id = 7; COMMIT',
        'BEGIN; UPDATE t SET n = 5 WHERE id = 8; UPDATE t SET id = 108 WHERE id = 8; UPDATE t SET n = 6 WHERE id = 108; COMMIT',
        `BEGIN; INSERT INTO t VALUES (30, ${value(`'e'`)}, ${value(`'f'`)}, 0); UPDATE t SET n = 1 WHERE id = 30;
       UPDATE t SET id = 31 WHERE id = 30; UPDATE t SET b = NULL WHERE id = 31; COMMIT`,
        `BEGIN; UPDATE t SET n = 7 WHERE id = 9; DELETE FROM t WHERE id = 9;
       INSERT INTO t VALUES (9, ${value(`'g'`)}, NULL, 9); UPDATE t SET n = 10 WHERE id = 9; COMMIT`,
        'BEGIN; UPDATE t SET id = -1 WHERE id = 10; UPDATE t SET id = 10 WHERE id = 11; UPDATE t SET id = 11 WHERE id = -1; COMMIT',
        'BEGIN; UPDATE t SET n = 8 WHERE id = 12; SAVEPOINT s; UPDATE t SET a = NULL WHERE id = 12; ROLLBACK TO s; UPDATE t SET n = 9 WHERE id = 12; COMMIT',
        'DELETE FROM t WHERE id IN (13, 20)',
        'BEGIN; UPDATE t SET a = a WHERE id = 14; DELETE FROM t WHERE id = 14; COMMIT',
      ],
    })),
  )
  .concat([
    {
      name: 'toasted value in the key of an index identity',
      setup: `
      CREATE TABLE t (k text NOT NULL, id integer NOT NULL, big text, n integer);
      ALTER TABLE t ALTER k SET STORAGE EXTERNAL, ALTER big SET STORAGE EXTERNAL;
      CREATE UNIQUE INDEX t_key ON t (k, id);
      ALTER TABLE t REPLICA IDENTITY USING INDEX t_key;
      INSERT INTO t SELECT (SELECT string_agg(md5(i || '.' || g), '') FROM generate_series(1, 79) AS g), i, repeat('x', 9000), 0
        FROM generate_series(1, 12) AS i;`,
      traffic: [
        'UPDATE t SET n = 1',
        "UPDATE t SET big = repeat('y', 8000) WHERE id = 1",
        'UPDATE t SET id = id + 100 WHERE id = 2',
        'UPDATE t SET k = reverse(k) WHERE id = 3',
        'BEGIN; UPDATE t SET n = 2 WHERE id = 4; UPDATE t SET n = 3 WHERE id = 4; UPDATE t SET id = 104 WHERE id = 4; COMMIT',
        'BEGIN; UPDATE t SET n = 2 WHERE id = 5; DELETE FROM t WHERE id = 5; COMMIT',
        'DELETE FROM t WHERE id = 6',
        'INSERT INTO t SELECT k, id + 1000, big, 5 FROM t WHERE id < 10',
      ],
    },
    {
      name: 'toasted primary key',
      setup: `
      CREATE TABLE t (k text PRIMARY KEY, n integer);
      ALTER TABLE t ALTER k SET STORAGE EXTERNAL;
      INSERT INTO t SELECT (SELECT string_agg(md5(i || '.' || g), '') FROM generate_series(1, 80) AS g), i FROM generate_series(1, 10) AS i;`,
      traffic: [
        'UPDATE t SET n = n + 100',
        'UPDATE t SET n = n',
        'UPDATE t SET k = reverse(k) WHERE n < 104',
        'BEGIN; UPDATE t SET n = 1 WHERE n = 105; UPDATE t SET k = left(k, 5) WHERE n = 1; UPDATE t SET n = 2 WHERE n = 1; COMMIT',
        'DELETE FROM t WHERE n = 106',
      ],
    },
  ]);
