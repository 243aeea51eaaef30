import { readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type ClientBase } from 'pg';

/** `member` is in `role`. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  /** Who granted it; `null` when that role is gone. */
  readonly grantor: string | null;
  readonly isAdmin: boolean;
  /** Of the grant itself; `null` before PostgreSQL 16, where the member decides for all of its memberships. */
  readonly inherits: boolean | null;
  /** Whether the member may SET ROLE; `null` before PostgreSQL 16, where each may. */
  readonly maySet: boolean | null;
}

/** Since then several roles can grant the same membership, each with options, and a grantor needs ADMIN OPTION. */
export const GRANT_OPTIONS_SINCE = 160_000;

/** Tested on PostgreSQL 10–18. */
export function readMemberships(client: ClientBase, versionNum: number): Promise<Membership[]> {
  const options = since(versionNum, {
    from: GRANT_OPTIONS_SINCE,
    use: sql`a.inherit_option AS inherits, a.set_option AS "maySet"`,
    before: sql`NULL::boolean AS inherits, NULL::boolean AS "maySet"`,
  });
  return readRows<Membership>(
    client,
    sql`
    SELECT r.rolname::text AS role, m.rolname::text AS member, g.rolname::text AS grantor, a.admin_option AS "isAdmin",
      ${options}
    FROM pg_catalog.pg_auth_members a
    JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
    JOIN pg_catalog.pg_roles m ON m.oid = a.member
    LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantor
    ORDER BY r.rolname::text COLLATE "C", m.rolname::text COLLATE "C", g.rolname::text COLLATE "C"`,
  );
}

/** As a target of this version understands it; without a grantor, whoever the server takes for it. */
export function grantMembership({ role, member, grantor, ...options }: Membership, versionNum: number): string {
  const by = grantor === null ? '' : ` GRANTED BY ${quoteIdentifier(grantor)}`;
  return `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(member)}${optionsOf(options, versionNum)}${by}`;
}

function optionsOf(
  { isAdmin, inherits, maySet }: Omit<Membership, 'role' | 'member' | 'grantor'>,
  versionNum: number,
): string {
  if (versionNum < GRANT_OPTIONS_SINCE || inherits === null || maySet === null)
    return isAdmin ? ' WITH ADMIN OPTION' : '';
  const options = { ADMIN: isAdmin, INHERIT: inherits, SET: maySet };
  const written = Object.entries(options).map(([name, value]) => `${name} ${value ? 'TRUE' : 'FALSE'}`);
  return ` WITH ${written.join(', ')}`;
}
