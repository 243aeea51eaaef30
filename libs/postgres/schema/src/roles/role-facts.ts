import { readRows, sql } from '@sluice/postgres-catalog';
import { Secret } from '@sluice/kernel';
import { type ClientBase } from 'pg';

/** A role of the source. */
export interface RoleFacts {
  readonly name: string;
  /** Made by initdb. */
  readonly isBootstrap: boolean;
  readonly isSuperuser: boolean;
  readonly inherits: boolean;
  readonly canCreateRole: boolean;
  readonly canCreateDb: boolean;
  readonly canLogIn: boolean;
  readonly canReplicate: boolean;
  readonly bypassesRls: boolean;
  /** -1: no limit. */
  readonly connectionLimit: number;
  /** Until when its password is valid, as the session's settings write it. */
  readonly validUntil: string | null;
  readonly comment: string | null;
  /** `name=value`, in all databases. */
  readonly settings: readonly string[];
  /** `name=value`, in the database of the session. */
  readonly databaseSettings: readonly string[];
}

/** Every role, by name. What the role may be asked for by everybody: passwords are not among it. Tested on PostgreSQL 10–18. */
export function readRoles(source: ClientBase): Promise<RoleFacts[]> {
  return readRows<RoleFacts>(
    source,
    sql`
    SELECT r.rolname::text AS name, r.oid = 10 AS "isBootstrap", r.rolsuper AS "isSuperuser", r.rolinherit AS inherits,
      r.rolcreaterole AS "canCreateRole", r.rolcreatedb AS "canCreateDb", r.rolcanlogin AS "canLogIn",
      r.rolreplication AS "canReplicate", r.rolbypassrls AS "bypassesRls", r.rolconnlimit AS "connectionLimit",
      r.rolvaliduntil::text AS "validUntil", pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment,
      coalesce(everywhere.setconfig, '{}') AS settings, coalesce(here.setconfig, '{}') AS "databaseSettings"
    FROM pg_catalog.pg_roles r
    JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
    LEFT JOIN pg_catalog.pg_db_role_setting everywhere ON everywhere.setrole = r.oid AND everywhere.setdatabase = 0
    LEFT JOIN pg_catalog.pg_db_role_setting here ON here.setrole = r.oid AND here.setdatabase = d.oid
    ORDER BY r.rolname::text COLLATE "C"`,
  );
}

/** Whether the session may read the hashes of passwords. Tested on PostgreSQL 10–18. */
export async function mayReadPasswords(source: ClientBase): Promise<boolean> {
  const [row] = await readRows<{ allowed: boolean }>(
    source,
    sql`
    SELECT pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolname', 'SELECT')
      AND pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT') AS allowed`,
  );
  return row?.allowed === true;
}

/** The hashes of the passwords (SCRAM or MD5) of these roles; a role without a password is not among them. Tested on PostgreSQL 10–18. */
export async function readPasswordHashes(
  source: ClientBase,
  names: readonly string[],
): Promise<ReadonlyMap<string, Secret>> {
  const rows = await readRows<{ name: string; hash: string }>(
    source,
    sql`
    SELECT a.rolname::text AS name, a.rolpassword AS hash
    FROM pg_catalog.pg_authid a
    WHERE a.rolname::text = ANY ($1::text[]) AND a.rolpassword IS NOT NULL`,
    [names],
  );
  return new Map(rows.map(({ name, hash }) => [name, new Secret(hash)]));
}
