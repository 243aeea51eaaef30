import { readRows, readVersionNum, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';

/**
 * Built-in types whose binary form means the same on every server from PostgreSQL 10 on: it holds no OID and no setting of
 * the server that wrote it. By OID, as these are the same everywhere (src/include/catalog/pg_type.dat).
 *
 * Left out are types whose binary form is an OID or a number of this server (reg*, xid, tid, snapshots), depends on a
 * setting (money), is converted while it is read (xml) or not read when it is empty (tsquery), arrays, as they cannot be elements of an array parameter, and all
 * types that are not built in: enums, domains, composites, extensions' types.
 */
const PORTABLE_TYPE_OIDS: ReadonlySet<number> = new Set([
  16, // bool
  17, // bytea
  18, // "char"
  19, // name
  20, // int8
  21, // int2
  23, // int4
  25, // text
  26, // oid
  114, // json
  600, // point
  601, // lseg
  602, // path
  603, // box
  604, // polygon
  628, // line
  650, // cidr
  700, // float4
  701, // float8
  718, // circle
  774, // macaddr8
  829, // macaddr
  869, // inet
  1042, // bpchar
  1043, // varchar
  1082, // date
  1083, // time
  1114, // timestamp
  1184, // timestamptz
  1186, // interval
  1266, // timetz
  1560, // bit
  1562, // varbit
  1700, // numeric
  2950, // uuid
  3220, // pg_lsn
  3614, // tsvector
  3802, // jsonb
  3904, // int4range
  3906, // numrange
  3908, // tsrange
  3910, // tstzrange
  3912, // daterange
  3926, // int8range
  4072, // jsonpath
  4451, // int4multirange
  4532, // nummultirange
  4533, // tsmultirange
  4534, // tstzmultirange
  4535, // datemultirange
  4536, // int8multirange
]);

const INTERVAL_OID = 1186;
/** From here on an interval can be infinite, which older servers would read as a finite one. */
const INFINITE_INTERVAL_MAJOR = 17;

/** Types whose values the source may send in binary form. */
export function portableTypeOids(sourceMajor: number): ReadonlySet<number> {
  if (sourceMajor < INFINITE_INTERVAL_MAJOR) return PORTABLE_TYPE_OIDS;
  return new Set([...PORTABLE_TYPE_OIDS].filter((oid) => oid !== INTERVAL_OID));
}

/** pgoutput has the option `binary` from here on. */
const BINARY_VERSION_NUM = 140_000;

/**
 * The types of values that the source may send in binary form if all published columns are of such types, else null: the
 * form is the same for all. A type that joins later shows in a Relation message. PostgreSQL 10–18.
 */
export async function binaryTypeOids(client: Client, publicationName: string): Promise<ReadonlySet<number> | null> {
  const versionNum = await readVersionNum(client);
  if (versionNum < BINARY_VERSION_NUM) return null;
  const published = await readRows<{ oid: number }>(
    client,
    sql`SELECT DISTINCT a.atttypid AS oid FROM pg_catalog.pg_publication p
        JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
        JOIN pg_catalog.pg_attribute a ON a.attrelid = r.prrelid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE p.pubname = $1`,
    [publicationName],
  );
  const portable = portableTypeOids(Math.trunc(versionNum / 10_000));
  return published.every(({ oid }) => portable.has(oid)) ? portable : null;
}
