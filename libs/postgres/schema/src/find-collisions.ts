import { inUserSchema, readRows, sql } from '@sluice/postgres-catalog';
import { type ClientBase } from 'pg';
import { type StructurePlan } from './plan.js';

/**
 * Names of the plan that the target uses already, e.g. `relation "public"."orders"`. Schemas and extensions that are
 * there are no collision by themselves.
 */
export async function findCollisions(target: ClientBase, plan: StructurePlan): Promise<string[]> {
  const taken = new Set(await readTakenNames(target));
  const claims = [...plan.preData, ...plan.postData].flatMap(({ claims: claim }) => claim ?? []);
  return [...new Set(claims)].filter((claim) => taken.has(claim));
}

/** Tested on PostgreSQL 10–18. Names are always quoted here, as they are in plans; a row type goes by its relation. */
async function readTakenNames(target: ClientBase): Promise<string[]> {
  const quoted = sql`'"' || replace(n.nspname, '"', '""') || '"."' || replace(x.name, '"', '""') || '"'`;
  const rows = await readRows<{ claim: string }>(
    target,
    sql`
    SELECT x.prefix || ${quoted} || x.suffix AS claim
    FROM (
      SELECT 'relation ' AS prefix, c.relnamespace AS namespace, c.relname::text AS name, '' AS suffix
      FROM pg_catalog.pg_class c WHERE c.relkind <> 'c'
      UNION ALL
      SELECT 'type ', t.typnamespace, t.typname::text, ''
      FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
      WHERE c.oid IS NULL OR c.relkind = 'c'
      UNION ALL
      SELECT 'collation ', c.collnamespace, c.collname::text, '' FROM pg_catalog.pg_collation c
      UNION ALL
      SELECT 'function ', p.pronamespace, p.proname::text, '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')'
      FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
    ) x
    JOIN pg_catalog.pg_namespace n ON n.oid = x.namespace
    WHERE ${inUserSchema}`,
  );
  return rows.map(({ claim }) => claim);
}
