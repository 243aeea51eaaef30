import { readRows, since, sql, type Sql } from '@sluice/postgres-catalog';
import { type SequenceOptions } from './sequences.js';
import { type Source } from '../schema-object.js';

export interface ColumnRow {
  readonly relation: number;
  readonly attnum: number;
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly defaultOid: number | null;
  readonly default: string | null;
  /** `s` stored, `v` virtual. */
  readonly generated: '' | 's' | 'v';
  readonly identity: '' | 'a' | 'd';
  readonly identitySequence:
    | (SequenceOptions & {
        readonly schema: string;
        readonly name: string;
        /** `null` where the target knows no such sequences. */
        readonly isUnlogged: boolean | null;
      })
    | null;
  readonly isLocal: boolean;
  readonly isInherited: boolean;
  readonly storage: 'e' | 'm' | 'p' | 'x';
  readonly typeStorage: 'e' | 'm' | 'p' | 'x';
  readonly compression: '' | 'l' | 'p';
  readonly statisticsTarget: number | null;
  readonly options: readonly string[] | null;
  /** The NOT NULL constraint that 18 keeps as an object; without OID where it only will be one. */
  readonly notNullConstraint: {
    readonly oid: number | null;
    readonly name: string;
    readonly isLocal: boolean;
    readonly isValid: boolean;
    readonly isNoInherit: boolean;
  } | null;
}

/** The columns of tables, partitioned tables, views and materialized views in their order, by OID of the relation. */
export async function readColumns(
  { client, ...versions }: Source,
  relations: readonly number[],
): Promise<Map<number, ColumnRow[]>> {
  const rows = await readRows<ColumnRow>(client, columnsQuery(versions), [relations]);
  return Map.groupBy(rows, ({ relation }) => relation);
}

/** Tested on PostgreSQL 10–18. The statistics target by default is -1, and NULL from 17. */
function columnsQuery({ versionNum, targetVersionNum }: Omit<Source, 'client'>): Sql {
  const isUnlogged = since(targetVersionNum, {
    from: 150_000,
    use: sql`sc.relpersistence = 'u'`,
    before: sql`NULL::boolean`,
  });
  const generated = since(versionNum, { from: 120_000, use: sql`a.attgenerated`, before: sql`''` });
  const compression = since(versionNum, { from: 140_000, use: sql`a.attcompression`, before: sql`''` });
  const notNull = since(versionNum, {
    from: 180_000,
    use: sql`(SELECT pg_catalog.json_build_object('oid', k.oid::bigint, 'name', k.conname, 'isLocal', k.conislocal, 'isValid', k.convalidated,
        'isNoInherit', k.connoinherit)
      FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND k.conkey[1] = a.attnum)`,
    before: sql`NULL::json`,
  });
  return sql`
    SELECT a.attrelid AS relation, a.attnum, a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
      CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN
        (SELECT pg_catalog.format('%I.%I', cn.nspname, c.collname)
         FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace
         WHERE c.oid = a.attcollation) END AS collation,
      a.attnotnull AS "notNull", d.oid AS "defaultOid", pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS default,
      ${generated} AS generated, a.attidentity AS identity,
      CASE WHEN a.attidentity <> '' THEN (
        SELECT pg_catalog.json_build_object('schema', sn.nspname, 'name', sc.relname, 'isUnlogged', ${isUnlogged},
          'start', s.seqstart::text,
          'increment', s.seqincrement::text, 'min', s.seqmin::text, 'max', s.seqmax::text, 'cache', s.seqcache::text,
          'cycle', s.seqcycle)
        FROM pg_catalog.pg_depend i
        JOIN pg_catalog.pg_sequence s ON s.seqrelid = i.objid
        JOIN pg_catalog.pg_class sc ON sc.oid = i.objid
        JOIN pg_catalog.pg_namespace sn ON sn.oid = sc.relnamespace
        WHERE i.classid = 'pg_catalog.pg_class'::regclass AND i.refclassid = 'pg_catalog.pg_class'::regclass
          AND i.refobjid = a.attrelid AND i.refobjsubid = a.attnum AND i.deptype = 'i') END AS "identitySequence",
      a.attislocal AS "isLocal", a.attinhcount > 0 AS "isInherited",
      a.attstorage AS storage, t.typstorage AS "typeStorage", ${compression} AS compression,
      nullif(a.attstattarget, -1) AS "statisticsTarget", a.attoptions AS options, ${notNull} AS "notNullConstraint"
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum`;
}
