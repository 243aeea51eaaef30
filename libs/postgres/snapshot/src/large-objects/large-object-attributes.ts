import { readRows, readVersionNum, since, sql } from '@sluice/postgres-catalog';
import { type Client, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type Chunk } from '../ledger/chunk-ledger.js';

interface Privilege {
  /** `null` is PUBLIC. */
  readonly grantee: string | null;
  readonly grantor: string;
  readonly privilege: string;
  readonly isGrantable: boolean;
}

export interface LargeObjectAttributes {
  readonly oid: string;
  readonly owner: string;
  readonly comment: string | null;
  /** `null`: those that an owner has without saying. */
  readonly privileges: readonly Privilege[] | null;
}

/** Which roles own large objects on the target, and have privileges on them. */
export interface RolesOfLargeObjects {
  /** Those that the target had before. */
  readonly existing: boolean;
  /** What the roles were granted that the task created; what they own is theirs. */
  readonly privilegesOfCreated: boolean;
}

/** The large objects of the chunk, in the order of their OIDs. Tested on PostgreSQL 10–18. */
export function readLargeObjectAttributes(
  source: Client,
  { fromBlock, toBlock }: Pick<Chunk, 'fromBlock' | 'toBlock'>,
): Promise<LargeObjectAttributes[]> {
  return readRows<LargeObjectAttributes>(
    source,
    sql`
    SELECT m.oid::text AS oid, pg_catalog.pg_get_userbyid(m.lomowner)::text AS owner,
      pg_catalog.obj_description(m.oid, 'pg_largeobject') AS comment,
      CASE WHEN m.lomacl IS NOT NULL THEN (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'grantee', CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
            'grantor', pg_catalog.pg_get_userbyid(a.grantor),
            'privilege', a.privilege_type, 'isGrantable', a.is_grantable) ORDER BY a.ordinality), '[]')
        FROM pg_catalog.aclexplode(m.lomacl) WITH ORDINALITY AS a) END AS privileges
    FROM pg_catalog.pg_largeobject_metadata m
    WHERE ($1::oid IS NULL OR m.oid >= $1::oid) AND ($2::oid IS NULL OR m.oid < $2::oid)
    ORDER BY m.oid`,
    [fromBlock, toBlock],
  );
}

export interface LargeObjectRoles {
  readonly currentUser: string;
  /** Roles that objects can be given to. */
  readonly owners: ReadonlySet<string>;
  /** Roles that keep what they were granted. */
  readonly grantees: ReadonlySet<string>;
  /** Neither owners nor privileges come along. */
  readonly areLeftOut: boolean;
}

export async function readLargeObjectRoles(
  target: Client,
  taskId: string,
  { existing, privilegesOfCreated }: RolesOfLargeObjects,
): Promise<LargeObjectRoles> {
  // From 16 on a member may still be refused to act as the role.
  const assume = since(await readVersionNum(target), { from: 160_000, use: sql`'SET'`, before: sql`'MEMBER'` });
  const all = await readRows<{ name: string; isCreated: boolean; isAssumable: boolean; isCurrent: boolean }>(
    target,
    sql`
    SELECT r.rolname::text AS name, created.role_name IS NOT NULL AS "isCreated",
      pg_catalog.pg_has_role(r.oid, ${assume}) AS "isAssumable", r.rolname = current_user AS "isCurrent"
    FROM pg_catalog.pg_roles r
    LEFT JOIN sluice.role created ON created.task_id = $1 AND created.role_name = r.rolname`,
    [taskId],
  );
  const wanted = all.filter(({ isCreated }) => existing || isCreated);
  const named = (roles: typeof all): ReadonlySet<string> => new Set(roles.map(({ name }) => name));
  return {
    currentUser: all.find(({ isCurrent }) => isCurrent)?.name ?? '',
    owners: named(wanted.filter(({ isAssumable }) => isAssumable)),
    grantees: named(wanted.filter(({ isCreated }) => !isCreated || privilegesOfCreated)),
    areLeftOut: wanted.length === 0,
  };
}

/**
 * Takes away what default privileges of the target (from 18) gave with the objects, which the source knows nothing of. They
 * still belong to the connecting role.
 */
export async function revokeDefaults(target: Client, objects: readonly LargeObjectAttributes[]): Promise<void> {
  const given = await readRows<{ oid: string; grantee: string | null }>(
    target,
    sql`
    SELECT DISTINCT m.oid::text AS oid, CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee)::text END AS grantee
    FROM pg_catalog.pg_largeobject_metadata m, pg_catalog.aclexplode(m.lomacl) a
    WHERE m.oid = ANY ($1::oid[]) AND a.grantee <> m.lomowner`,
    [objects.map(({ oid }) => oid)],
  );
  if (given.length === 0) return;
  await target.query(
    given.map(({ oid, grantee }) => `REVOKE ALL ON LARGE OBJECT ${oid} FROM ${roleName(grantee)}`).join('; '),
  );
}

function roleName(role: string | null): string {
  return role === null ? 'PUBLIC' : quoteIdentifier(role);
}

/** What gives the objects on the target, which belong to the connecting role, their attributes. */
export function toAttributeStatements(objects: readonly LargeObjectAttributes[], roles: LargeObjectRoles): string[] {
  return objects.flatMap((object) => {
    const on = `LARGE OBJECT ${object.oid}`;
    return [
      ...(object.comment === null ? [] : [`COMMENT ON ${on} IS ${quoteLiteral(object.comment)}`]),
      ...(roles.areLeftOut ? [] : [...ownerOf(object, roles), ...privilegesOf(object, roles)]),
    ];
  });
}

function ownerOf({ oid, owner }: LargeObjectAttributes, { owners, currentUser }: LargeObjectRoles): string[] {
  if (owner === currentUser || !owners.has(owner)) return [];
  return [`ALTER LARGE OBJECT ${oid} OWNER TO ${quoteIdentifier(owner)}`];
}

function privilegesOf({ oid, owner, privileges }: LargeObjectAttributes, roles: LargeObjectRoles): string[] {
  if (privileges === null) return [];
  const on = `LARGE OBJECT ${oid}`;
  const ownsOnTarget = owner === roles.currentUser || roles.owners.has(owner);
  const comesAlong = ({ grantee, grantor }: Privilege): boolean => {
    // Where somebody else owns it on the target, that role keeps all it has as the owner.
    if (grantee === owner) return ownsOnTarget;
    // Without what it was granted a role cannot have granted it on.
    return (grantee === null || roles.grantees.has(grantee)) && (grantor === owner || roles.grantees.has(grantor));
  };
  // As the owner: a member need not inherit what that may.
  const byOwner = ownsOnTarget ? owner : roles.currentUser;
  const grants = privileges.filter(comesAlong).map(({ grantee, grantor, privilege, isGrantable }) => ({
    by: grantor !== owner && roles.owners.has(grantor) ? grantor : byOwner,
    statement: `GRANT ${privilege} ON ${on} TO ${roleName(grantee)}${isGrantable ? ' WITH GRANT OPTION' : ''}`,
  }));
  const reset = { by: byOwner, statement: `REVOKE ALL ON ${on} FROM ${quoteIdentifier(owner)}` };
  return [...(ownsOnTarget ? [reset] : []), ...grants].flatMap(({ by, statement }) =>
    by === roles.currentUser ? [statement] : [`SET ROLE ${quoteIdentifier(by)}`, statement, 'RESET ROLE'],
  );
}
