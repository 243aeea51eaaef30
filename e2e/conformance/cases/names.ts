import { type ConformanceCase } from '../conformance-case.js';

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Each is at most 63 bytes long. */
const HARD_NAMES = [
  `q"uote`,
  "apostrophe's",
  'dot.ted',
  ' leading and trailing ',
  '🐘 emoji',
  'UPPER lower',
  'select',
  'back\\slash',
  '%s $1 :x ?',
  'tab\tline\nreturn\rbreak',
  'a'.repeat(63),
  'ü'.repeat(31),
  '{"json": [1]}',
  '--; DROP TABLE x; /*',
  'sluice',
];
const KEYWORDS = [
  'user',
  'table',
  'order',
  'group',
  'from',
  'where',
  'values',
  'array',
  'null',
  'default',
  'v',
  't',
  'o',
  'c0',
  's',
  'xmin_',
  'pg_catalog',
  'new',
  'old',
  'excluded',
];

/** Names that break whoever does not quote, or quotes twice. */
export const NAME_CASES: readonly ConformanceCase[] = [
  {
    name: 'hard names of schemas, tables and columns',
    schemas: HARD_NAMES.map((name) => (name === 'sluice' ? 'Sluice' : name)),
    setup: HARD_NAMES.map((name) => {
      const schema = quote(name === 'sluice' ? 'Sluice' : name);
      const [table, column, key] = [`${schema}.${quote(name)}`, quote(name), quote(name.slice(0, 30) + 'k')];
      return `CREATE SCHEMA ${schema}; CREATE TABLE ${table} (${key} integer PRIMARY KEY, ${column} text);
        CREATE TABLE ${schema}.bare (${column} text); ALTER TABLE ${schema}.bare REPLICA IDENTITY FULL;
        INSERT INTO ${table} VALUES (1, 'a'), (2, 'b'); INSERT INTO ${schema}.bare VALUES ('a'), ('a');`;
    }).join('\n'),
    traffic: HARD_NAMES.map((name) => {
      const schema = quote(name === 'sluice' ? 'Sluice' : name);
      const [table, column, key] = [`${schema}.${quote(name)}`, quote(name), quote(name.slice(0, 30) + 'k')];
      return `INSERT INTO ${table} VALUES (3, '"'); UPDATE ${table} SET ${column} = '''' WHERE ${key} = 1; UPDATE ${table} SET ${key} = 9 WHERE ${key} = 2;
        DELETE FROM ${schema}.bare WHERE ctid = (SELECT min(ctid::text)::tid FROM ${schema}.bare); UPDATE ${schema}.bare SET ${column} = 'c'`;
    }),
  },
  {
    name: 'columns named like keywords and like our aliases',
    setup: `CREATE TABLE t (${KEYWORDS.map((name) => `${quote(name)} text`).join(', ')}, PRIMARY KEY ("user", "c0"));
      CREATE TABLE f (LIKE t); ALTER TABLE f REPLICA IDENTITY FULL;
      CREATE TABLE v (v integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text, o text);
      INSERT INTO t ("user", "c0") VALUES ('1', 'a'), ('2', 'b'); INSERT INTO f SELECT * FROM t; INSERT INTO v (t) VALUES ('a'), ('b');`,
    traffic: [
      `UPDATE t SET "order" = 'x', "null" = 'y'; UPDATE t SET "user" = '3' WHERE "user" = '2'; INSERT INTO t ("user", "c0", "v") VALUES ('5', '5', 'v'); DELETE FROM t WHERE "user" = '1'`,
      `UPDATE f SET "order" = 'x', "c0" = 'n'; DELETE FROM f WHERE "user" = '1'`,
      `UPDATE v SET t = 'x'; UPDATE v SET v = DEFAULT, o = 'o' WHERE v = 1`,
    ],
  },
  {
    name: 'names that differ only in case, and look like others',
    schemas: ['a.b', 'a', 'A'],
    setup: `CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE SCHEMA "A";
      CREATE TABLE "a.b".c (id integer PRIMARY KEY, v text); CREATE TABLE a."b.c" (id integer PRIMARY KEY, v text);
      CREATE TABLE "A".t ("Id" integer PRIMARY KEY, "ID" integer, id integer); CREATE TABLE a."T" (id integer PRIMARY KEY, "V" text, v text);
      CREATE TABLE a.pg_class (oid_ integer PRIMARY KEY, relname text);`,
    traffic: [
      `INSERT INTO "a.b".c VALUES (1, 'first'); INSERT INTO a."b.c" VALUES (1, 'second'), (2, 'third'); UPDATE a."b.c" SET v = 'x' WHERE id = 2`,
      `INSERT INTO "A".t VALUES (1, 2, 3); UPDATE "A".t SET id = 4, "ID" = 5; INSERT INTO a."T" VALUES (1, 'V', 'v'); UPDATE a."T" SET "V" = 'W'`,
      `INSERT INTO a.pg_class VALUES (1, 'mine'); DELETE FROM "a.b".c`,
    ],
  },
];
