import { readRows, sql } from '@sluice/postgres-catalog';
import { type ObjectKey, type Source } from './schema-object.js';

/** "`from` needs `to`", or with `i` and `e` "`from` is a part of `to`". */
export interface DependencyEdge {
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  readonly type: 'a' | 'e' | 'i' | 'n';
}

/** Tested on PostgreSQL 10–18. Below 16384 are the objects of initdb, which every database has. */
export function readDependencies({ client }: Source): Promise<DependencyEdge[]> {
  return readRows<DependencyEdge>(
    client,
    sql`
    SELECT DISTINCT d.classid::regclass || ':' || d.objid AS from, d.refclassid::regclass || ':' || d.refobjid AS to, d.deptype AS type
    FROM pg_catalog.pg_depend d
    WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype IN ('a', 'e', 'i', 'n')`,
  );
}

/** For the order of what is created: triggers and policies come after everything that they could need. */
export function isOfCreation({ from }: DependencyEdge): boolean {
  return !/^pg_(policy|trigger):/.test(from);
}
