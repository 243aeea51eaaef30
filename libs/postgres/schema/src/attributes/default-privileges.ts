import { readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';
import { type TargetFacts } from '../target-facts.js';
import { type AclItem, grantsOf, MAINTAIN_SINCE, roleName, withMaintain } from './acl.js';

interface DefaultAclRow {
  readonly oid: number;
  readonly role: string;
  readonly schema: string | null;
  readonly objects: 'f' | 'n' | 'r' | 'S' | 'T' | 'L';
  readonly items: readonly AclItem[];
}

const OBJECTS = { f: 'FUNCTIONS', n: 'SCHEMAS', r: 'TABLES', S: 'SEQUENCES', T: 'TYPES', L: 'LARGE OBJECTS' } as const;

/** Tested on PostgreSQL 10–18. They come last, or they would change what we create ourselves. */
export async function readDefaultPrivileges(
  { client, versionNum }: Source,
  target: TargetFacts,
  isWanted: (schema: string | null) => boolean,
): Promise<{ objects: SchemaObject[]; unsupported: UnsupportedObject[] }> {
  const found = await readRows<DefaultAclRow>(
    client,
    sql`
    SELECT d.oid, r.rolname AS role, n.nspname AS schema, d.defaclobjtype AS objects,
      coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object('grantee', g.rolname, 'grantor', b.rolname,
          'privilege', x.privilege_type, 'isGrantable', x.is_grantable, 'column', NULL) ORDER BY x.position)
        FROM pg_catalog.aclexplode(d.defaclacl) WITH ORDINALITY x(grantor, grantee, privilege_type, is_grantable, position)
        JOIN pg_catalog.pg_roles b ON b.oid = x.grantor
        LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee), '[]') AS items
    FROM pg_catalog.pg_default_acl d
    JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
    ORDER BY r.rolname, n.nspname, d.defaclobjtype`,
  );
  const wanted = found.filter(({ role, schema }) => isWanted(schema) && !target.rolesWithoutPrivileges.has(role));
  return {
    objects: wanted
      .filter(({ role }) => target.assumableRoles.has(role))
      .map((row) => toObject(upTo(row, { from: versionNum, to: target.versionNum }), target)),
    unsupported: wanted
      .filter(({ role }) => !target.assumableRoles.has(role))
      .map(({ role, objects }) => ({
        kind: 'default privileges',
        identity: `default privileges of role ${quoteIdentifier(role)} on ${OBJECTS[objects]}`,
        reason: 'the role is missing on the target, or the connecting role is no member of it',
      })),
  };
}

function upTo(row: DefaultAclRow, versions: { readonly from: number; readonly to: number }): DefaultAclRow {
  return row.objects === 'r' ? { ...row, items: withMaintain(row.items, { ...versions, owner: row.role }) } : row;
}

function toObject({ oid, role, schema, objects, items }: DefaultAclRow, target: TargetFacts): SchemaObject {
  const where = schema === null ? '' : ` IN SCHEMA ${quoteIdentifier(schema)}`;
  const alter = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(role)}${where}`;
  const known = items.filter(
    ({ grantee, privilege }) =>
      (grantee === null || (target.roles.has(grantee) && !target.rolesWithoutPrivileges.has(grantee))) &&
      (privilege !== 'MAINTAIN' || target.versionNum >= MAINTAIN_SINCE),
  );
  return {
    key: objectKey('pg_default_acl', oid),
    kind: 'default privileges',
    address: `ROLE ${quoteIdentifier(role)}${where}`,
    stage: 'privilege',
    lane: 2,
    phase: 'other',
    sql: commands(
      // Without a schema they replace the built-in defaults; with one they only add to them.
      schema === null && `${alter} REVOKE ALL ON ${OBJECTS[objects]} FROM ${roleName(role)}`,
      schema === null && `${alter} REVOKE ALL ON ${OBJECTS[objects]} FROM PUBLIC`,
      ...grantsOf(known, OBJECTS[objects]).map(({ sql: grant }) => `${alter} ${grant}`),
    ),
  };
}
