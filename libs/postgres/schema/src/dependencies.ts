import { readRows, sql } from '@sluice/postgres-catalog';
import { type ObjectKey, type Source } from './schema-object.js';

/** "`from` needs `to`", or with `i` and `e` "`from` is a part of `to`". */
export interface DependencyEdge {
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  readonly type: 'a' | 'e' | 'i' | 'n';
}

/** For the order of what is created before the rows: triggers and policies come later. */
export async function readDependencies(source: Source): Promise<DependencyEdge[]> {
  return (await readAllDependencies(source)).filter(({ from }) => !/^(pg_trigger|pg_policy):/.test(from));
}

/** Tested on PostgreSQL 10–18. Below 16384 are the objects of initdb, which every database has. */
export function readAllDependencies({ client }: Source): Promise<DependencyEdge[]> {
  return readRows<DependencyEdge>(
    client,
    sql`
    SELECT DISTINCT d.classid::regclass || ':' || d.objid AS from, d.refclassid::regclass || ':' || d.refobjid AS to, d.deptype AS type
    FROM pg_catalog.pg_depend d
    WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype IN ('a', 'e', 'i', 'n')`,
  );
}
