import { inUserSchema, notExtensionMember, readRows, sql, type Sql } from '@sluice/postgres-catalog';
import { type LeftOut } from './leave-out.js';
import { type Source } from './schema-object.js';

const FOURTEEN = 140_000;

/** What servers from 14 on no longer have, and a source before it can hold. Tested on PostgreSQL 10–13. */
export async function readOutdated({ client, versionNum, targetVersionNum }: Source): Promise<LeftOut[]> {
  if (versionNum >= FOURTEEN || targetVersionNum < FOURTEEN) return [];
  return readRows<LeftOut>(
    client,
    sql`
    SELECT 'pg_operator:' || o.oid AS key, 'operator' AS kind, 'operator ' || o.oid::regoperator AS identity,
      'operators that stand behind their operand do not exist in newer servers' AS reason
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oprright = 0 AND o.oprcode <> 0 AND ${inUserSchema} AND ${notExtensionMember(sql`pg_operator`, sql`o.oid`)}
    UNION ALL
    SELECT 'pg_operator:' || o.oid, 'operator', 'operator ' || o.oid::regoperator, ${takesOther(sql`o.oprcode`)}
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oprcode = ANY (${CHANGED}) AND o.oprleft = ANY (${OLD_TYPES}) AND ${inUserSchema} AND ${notExtensionMember(sql`pg_operator`, sql`o.oid`)}
    UNION ALL
    SELECT 'pg_proc:' || p.oid, 'aggregate', 'aggregate ' || p.oid::regprocedure, ${takesOther(sql`a.aggtransfn`)}
    FROM pg_catalog.pg_aggregate a
    JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE a.aggtransfn = ANY (${CHANGED}) AND a.aggtranstype = ANY (${OLD_TYPES})
      AND ${inUserSchema} AND ${notExtensionMember(sql`pg_proc`, sql`p.oid`)}`,
  );
}

const OLD_TYPES: Sql = sql`ARRAY['anyarray'::regtype, 'anyelement'::regtype]::oid[]`;

/** Functions of arrays that take `anycompatible` from 14 on, so that what names them with `anyelement` finds none. */
const CHANGED: Sql = sql`ARRAY(
  SELECT c.oid FROM pg_catalog.pg_proc c
  WHERE c.pronamespace = 'pg_catalog'::regnamespace AND c.proname IN ('array_append', 'array_cat', 'array_position',
    'array_positions', 'array_prepend', 'array_remove', 'array_replace', 'width_bucket')
    AND 'anyarray'::regtype = ANY (c.proargtypes))`;

function takesOther(procedure: Sql): Sql {
  return sql`${procedure}::regproc || ' takes other types in newer servers; define it anew with them'`;
}
