import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type ConformanceCase } from '../conformance-case.js';

/** Two databases that hold text as different bytes than our sessions do, or than each other. */
export interface EncodingPair {
  readonly source: string;
  readonly target: string;
  /** Characters that both have, for names and definitions. */
  readonly letters: string;
  /** An SQL expression for text with what is hardest about the encoding; default: the letters. */
  readonly hardest?: string;
  /** Values have their binary form on the way, as no column has a type that has none. */
  readonly isBinary: boolean;
}

/** Bytes that are no UTF-8, and such that the middle of a character would have. */
const ANY_BYTES = String.raw`E'\xe4 \xff\x80 \xc3'`;

export const ENCODING_PAIRS: readonly EncodingPair[] = [
  { source: 'LATIN1', target: 'LATIN1', letters: 'äÖßñ£»ÿ¤', hardest: `'ÿ' || chr(160) || chr(133)`, isBinary: true },
  { source: 'WIN1252', target: 'UTF8', letters: '€œŽ…™ä', isBinary: false },
  { source: 'EUC_JP', target: 'UTF8', letters: '日本語ｱ', isBinary: true },
  { source: 'SQL_ASCII', target: 'SQL_ASCII', letters: 'ü', hardest: ANY_BYTES, isBinary: false },
];

export function encodingCases({ letters, hardest, isBinary }: EncodingPair): ConformanceCase[] {
  const [text, name] = [hardest ?? quoteLiteral(letters), quoteIdentifier(letters)];
  const unportable = isBinary ? '' : ', a text[], x xml, k kind';
  const values = isBinary ? '' : `, ARRAY[v, NULL], '<a/>', ${quoteLiteral(letters)}`;
  const row = (id: string): string =>
    `SELECT ${id}, v, v, v, v::name, to_json(v), to_jsonb(v), 'x'::tsvector ${values} FROM (SELECT ${text} AS v) AS s`;
  return [
    {
      name: 'text in every type',
      setup: `CREATE TYPE kind AS ENUM ('a', ${quoteLiteral(letters)});
        CREATE TABLE t (id integer PRIMARY KEY, v text, c char(12), vc varchar(12), n name, j json, b jsonb, s tsvector${unportable});
        CREATE TABLE big (id integer PRIMARY KEY, n integer, v text); ALTER TABLE big ALTER v SET STORAGE EXTERNAL;
        INSERT INTO t ${row('1')}; INSERT INTO t ${row('2')}; INSERT INTO big SELECT 1, 1, repeat(${text}, 3000);`,
      traffic: [
        `INSERT INTO t ${row('3')}; UPDATE t SET v = v || v, vc = 'plain' WHERE id = 1; DELETE FROM t WHERE id = 2`,
        `UPDATE big SET n = 2; INSERT INTO big SELECT 2, 1, repeat(${text}, 3000); UPDATE big SET v = ${text} WHERE id = 2; UPDATE big SET id = 3 WHERE id = 1`,
      ],
    },
    {
      name: 'text as key, and rows without one',
      setup: `CREATE TABLE k (k text PRIMARY KEY, n integer); CREATE TABLE f (v text, n integer); ALTER TABLE f REPLICA IDENTITY FULL;
        INSERT INTO k SELECT ${text} || i, i FROM generate_series(1, 9) AS i; INSERT INTO f SELECT ${text} || i % 3, i % 2 FROM generate_series(1, 12) AS i;`,
      traffic: [
        `INSERT INTO k SELECT ${text} || 'new', 0; UPDATE k SET n = n + 1; UPDATE k SET k = k || ${text} WHERE n = 3; DELETE FROM k WHERE n = 5`,
        `DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f); UPDATE f SET v = v || ${text} WHERE n = 1; INSERT INTO f SELECT ${text}, 7`,
      ],
    },
    {
      name: `names like ${letters}`,
      setup: `CREATE TABLE ${name} (${name} integer PRIMARY KEY, v text DEFAULT ${quoteLiteral(letters)} CHECK (v <> ${quoteLiteral(`${letters}!`)}));
        CREATE INDEX ON ${name} (lower(v)) WHERE v > ${quoteLiteral(letters)}; COMMENT ON TABLE ${name} IS ${quoteLiteral(letters)};
        CREATE TABLE f (${name} text); ALTER TABLE f REPLICA IDENTITY FULL; INSERT INTO ${name} VALUES (1), (2); INSERT INTO f VALUES ('a'), ('a');`,
      traffic: [
        `INSERT INTO ${name} VALUES (3); UPDATE ${name} SET ${name} = 4 WHERE ${name} = 1; DELETE FROM ${name} WHERE ${name} = 2`,
        `DELETE FROM f WHERE ctid = (SELECT min(ctid::text)::tid FROM f); INSERT INTO f SELECT ${text}`,
      ],
    },
    {
      name: 'definitions that follow',
      setup: 'CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1);',
      traffic: [
        `ALTER TABLE t ADD COLUMN ${name} text DEFAULT ${quoteLiteral(letters)}`,
        `INSERT INTO t SELECT 2, ${text}; UPDATE t SET ${name} = ${text} WHERE id = 1`,
        `COMMENT ON COLUMN t.${name} IS ${quoteLiteral(letters)}; INSERT INTO t VALUES (3); UPDATE t SET ${name} = 'plain' WHERE id = 1`,
      ],
    },
  ];
}
