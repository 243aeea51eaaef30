import { sql, type Sql } from './sql.js';

/** The schema on the target that holds our own tables; never transferred, never compared. */
export const OWN_SCHEMA = 'sluice';

/**
 * True for schemas that people made; `n` is pg_namespace. The prefix `pg_` is reserved, and covers temporary schemas.
 * `sluice_` with the 32 digits of a task's id holds what captures the DDL of that task's source.
 */
export const inUserSchema: Sql = sql`n.nspname !~ '^(pg_|sluice_[0-9a-f]{32}$)' AND n.nspname NOT IN ('information_schema', 'sluice')`;

/** Members of an extension come and go with it. */
export function notExtensionMember(catalog: Sql, oid: Sql): Sql {
  return sql`NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend membership
    WHERE membership.classid = 'pg_catalog.${catalog}'::regclass AND membership.objid = ${oid} AND membership.deptype = 'e')`;
}

export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

/** Which tables are meant: those in one of `schemas` or named in `tables`; all when it is left out. */
export interface TableSelection {
  readonly schemas?: readonly string[];
  readonly tables?: readonly QualifiedName[];
}
