import { notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface CastRow {
  readonly oid: number;
  readonly source: string;
  readonly target: string;
  readonly method: 'b' | 'f' | 'i';
  readonly context: 'a' | 'e' | 'i';
  readonly function: string | null;
}

const CONTEXT = { a: ' AS ASSIGNMENT', e: '', i: ' AS IMPLICIT' } as const;

/** Tested on PostgreSQL 10–18. Casts have no schema: those that initdb made have an OID below 16384. */
export async function readCasts({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<CastRow>(
    client,
    sql`
    SELECT c.oid, pg_catalog.format_type(c.castsource, NULL) AS source, pg_catalog.format_type(c.casttarget, NULL) AS target,
      c.castmethod AS method, c.castcontext AS context,
      CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END AS function
    FROM pg_catalog.pg_cast c
    WHERE c.oid >= 16384 AND ${notExtensionMember(sql`pg_cast`, sql`c.oid`)}
      -- The cast from a range to its multirange is made with the type.
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i')
    ORDER BY source, target`,
  );
  return rows.map((row) => {
    const address = `CAST (${row.source} AS ${row.target})`;
    const how = { b: 'WITHOUT FUNCTION', f: `WITH FUNCTION ${row.function ?? ''}`, i: 'WITH INOUT' }[row.method];
    return {
      key: objectKey('pg_cast', row.oid),
      kind: 'cast',
      address,
      stage: 'pre',
      sql: `CREATE ${address} ${how}${CONTEXT[row.context]}`,
      needsSuperuser: row.method === 'b',
    };
  });
}
