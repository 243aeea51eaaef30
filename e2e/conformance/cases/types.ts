import { type PostgresMajor } from '@sluice/embedded';
import { TYPE_SAMPLES, type TypeSample, USER_TYPES } from '@sluice/testing';
import { type ConformanceCase } from '../conformance-case.js';
import { IDENTITIES } from './identities.js';
import {
  EXTENSION_SAMPLES,
  EXTENSION_TYPES,
  EXTENSIONS_SINCE,
  MORE_SAMPLES,
  moreTypes,
  type BoundedSample,
} from './more-types.js';

const within = (major: PostgresMajor, { since = 10, until = 18 }: { since?: number; until?: number }): boolean =>
  since <= major && major <= until;

/** A name that the matrix makes fits a table for every identity; a type is found by its schema. */
const TABLES = Object.entries(IDENTITIES).map(([identity, define]) => ({
  table: identity.replaceAll(' ', '_'),
  define,
}));

/** Types that other cases use, in schemas of their own. */
export function typesCase(major: PostgresMajor, targetMajor: PostgresMajor): ConformanceCase {
  const setup = `${USER_TYPES}${moreTypes(major)}${targetMajor >= EXTENSIONS_SINCE ? EXTENSION_TYPES : ''}`;
  return { name: 'types of the user', schemas: ['every', 'more', 'ext'], setup, traffic: [] };
}

/** Every type × every identity × every operation. Two lists of values of one type make one case. */
export function typeCases(major: PostgresMajor, targetMajor: PostgresMajor): ConformanceCase[] {
  const samples: readonly BoundedSample[] = [
    ...TYPE_SAMPLES,
    ...MORE_SAMPLES,
    ...(targetMajor >= EXTENSIONS_SINCE ? EXTENSION_SAMPLES : []),
  ];
  const usable = samples.filter((sample) => within(major, sample) && within(targetMajor, sample));
  const values = Map.groupBy(usable, ({ type }) => type);
  return [...values].map(([type, lists]) =>
    typeCase(
      type,
      lists.flatMap((sample) => valuesOf(sample, major)),
    ),
  );
}

function valuesOf(sample: TypeSample, major: PostgresMajor): readonly string[] {
  const more = (sample.moreValues ?? []).filter((candidate) => within(major, candidate));
  return [...sample.values, ...more.map(({ value }) => value)];
}

function typeCase(type: string, values: readonly string[]): ConformanceCase {
  const all = [...values, 'NULL'];
  const rows = all.map((value, index) => `(${index + 1}, ${value}::${type})`).join(', ');
  return {
    name: `type ${type}`,
    setup: `
      CREATE TABLE sample (id integer PRIMARY KEY, v ${type});
      INSERT INTO sample VALUES ${rows};
      ${TABLES.map(({ table, define }) => tableOf(type, table, define)).join('')}
      ${asKey(type)}`,
    traffic: [...TABLES.flatMap(({ table }) => operations(table, all.length)), ...DUPLICATES, AS_KEY],
  };
}

function tableOf(type: string, table: string, define: (table: string) => string): string {
  return `
    CREATE TABLE ${table} (id integer NOT NULL, v ${type}, n integer);
    ${define(table)}
    INSERT INTO ${table} SELECT id, v, 0 FROM sample;`;
}

/** Each is a transaction. Sample k holds the k-th value; rows of the load have its number, later ones 100 more. */
function operations(table: string, count: number): string[] {
  const next = `FROM sample AS s WHERE s.id = t.id % ${count} + 1`;
  return [
    `INSERT INTO ${table} SELECT id + 100, v, 0 FROM sample`,
    `UPDATE ${table} SET n = n + 1`,
    `UPDATE ${table} AS t SET v = s.v ${next} AND t.id % 2 = 0`,
    `UPDATE ${table} SET v = v`,
    `UPDATE ${table} SET id = id + 1000 WHERE id IN (101, 102)`,
    `UPDATE ${table} AS t SET id = t.id + 2000, v = s.v ${next} AND t.id = 103`,
    `UPDATE ${table} SET v = NULL WHERE id = 1`,
    `UPDATE ${table} SET v = s.v FROM sample AS s WHERE ${table}.id = 1 AND s.id = 2`,
    `BEGIN; INSERT INTO ${table} SELECT id + 200, v, 0 FROM sample; UPDATE ${table} SET n = 5 WHERE id > 200 AND id < 1000;
     DELETE FROM ${table} WHERE id > 201 AND id < 1000; COMMIT`,
    `BEGIN; UPDATE ${table} SET id = 5001 WHERE id = 2; UPDATE ${table} SET id = 5002 WHERE id = 5001;
     UPDATE ${table} SET v = s.v FROM sample AS s WHERE ${table}.id = 5002 AND s.id = 1; UPDATE ${table} SET id = 2 WHERE id = 5002; COMMIT`,
    `DELETE FROM ${table} WHERE id % 3 = 0`,
  ];
}

/** Equal rows, of which one is changed or goes. */
const DUPLICATES = [
  'INSERT INTO full_without_key SELECT 7000, v, 7 FROM sample, generate_series(1, 3)',
  `DELETE FROM full_without_key WHERE ctid = (SELECT max(ctid::text)::tid FROM full_without_key WHERE id = 7000)`,
  `UPDATE full_without_key SET n = 8 WHERE ctid = (SELECT min(ctid::text)::tid FROM full_without_key WHERE id = 7000)`,
];

/** Where the type has an order, its values as a primary key; long ones do not fit an index. */
function asKey(type: string): string {
  return `DO $do$ BEGIN
    CREATE TABLE as_key (v ${type} PRIMARY KEY, n integer);
    INSERT INTO as_key SELECT DISTINCT ON (v) v, id FROM sample WHERE v IS NOT NULL AND octet_length(v::text) < 500 ORDER BY v;
  EXCEPTION WHEN undefined_object OR undefined_function OR feature_not_supported THEN NULL;
  END $do$;`;
}

const AS_KEY = `DO $do$ BEGIN
  IF to_regclass('as_key') IS NULL THEN RETURN; END IF;
  UPDATE as_key SET n = n + 100;
  DELETE FROM as_key WHERE n = (SELECT min(n) FROM as_key);
  INSERT INTO as_key SELECT DISTINCT ON (v) v, id FROM sample WHERE v IS NOT NULL AND octet_length(v::text) < 500 ORDER BY v
    ON CONFLICT DO NOTHING;
  CREATE TEMP TABLE gone AS SELECT v FROM as_key ORDER BY n DESC LIMIT 1;
  DELETE FROM as_key WHERE n = (SELECT max(n) FROM as_key);
  UPDATE as_key SET v = (SELECT v FROM gone) WHERE n = (SELECT min(n) FROM as_key) AND EXISTS (SELECT FROM gone);
END $do$`;
