import { readRows, sql, type Sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';
import { type TargetFacts } from '../target-facts.js';
import { type AclItem, grantsOf, MAINTAIN_SINCE, roleName, withMaintain } from './acl.js';

/** One privilege; an ACL that grants nothing to anybody, not even to the owner, has a row without one. */
interface AclRow extends Omit<AclItem, 'privilege' | 'grantor'> {
  readonly privilege: string | null;
  readonly grantor: string | null;
  readonly catalog: string;
  readonly oid: number;
  readonly owner: string;
}

/** Rebuilds every ACL that is not the default: takes all away, then grants item by item. Missing roles are reported. */
export async function readPrivileges(
  source: Source,
  objects: readonly SchemaObject[],
  target: TargetFacts,
): Promise<{ objects: SchemaObject[]; unsupported: UnsupportedObject[] }> {
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const acls = Map.groupBy(await readAclRows(source), ({ catalog, oid }) => objectKey(catalog, oid));
  const missing = new Map<string, number>();
  const changes = [...acls].flatMap(([key, rows]) => {
    const object = byKey.get(key);
    if (!object) return [];
    const granted = rows.filter(isGranted);
    const isTable = object.key.startsWith('pg_class:') && !object.address.startsWith('SEQUENCE ');
    const items = isTable
      ? withMaintain(granted, { from: source.versionNum, to: target.versionNum, owner: rows[0]?.owner ?? '' })
      : granted;
    const known = items.filter((item) => {
      if (item.privilege === 'MAINTAIN' && target.versionNum < MAINTAIN_SINCE) return false;
      return (item.grantee === null || target.roles.has(item.grantee)) && comesAlong(item, target);
    });
    for (const { grantee } of rows)
      if (grantee !== null && !target.roles.has(grantee)) missing.set(grantee, (missing.get(grantee) ?? 0) + 1);
    return [toPrivileges(object, { rows, known }, target)];
  });
  return {
    objects: changes.filter(({ sql: text }) => text !== ''),
    unsupported: [...missing].map(([role, count]) => ({
      kind: 'privilege',
      identity: `role ${quoteIdentifier(role)}`,
      reason: `it is missing on the target; ${count} privileges of it are left out`,
    })),
  };
}

type GrantedRow = AclRow & AclItem;

function isGranted(row: AclRow): row is GrantedRow {
  return row.privilege !== null;
}

/** Without what it was granted a role cannot have granted it on. An owner needs none of it. */
function comesAlong({ grantee, grantor, owner }: GrantedRow, { rolesWithoutPrivileges }: TargetFacts): boolean {
  const isLeftOut = (role: string | null): boolean =>
    role !== null && role !== owner && rolesWithoutPrivileges.has(role);
  return !isLeftOut(grantee) && !isLeftOut(grantor);
}

function toPrivileges(
  object: SchemaObject,
  { rows, known }: { readonly rows: readonly AclRow[]; readonly known: readonly GrantedRow[] },
  target: TargetFacts,
): SchemaObject {
  const on = grantTarget(object);
  const owner = rows[0]?.owner ?? '';
  const ownsOnTarget = owner === target.currentUser || target.assumableRoles.has(owner);
  // Where somebody else owns it on the target, that role keeps all it has as the owner.
  const items = known.filter(({ grantee }) => ownsOnTarget || grantee !== owner);
  const isWhole = rows.some(({ column }) => column === null);
  const grants = grantsOf(items, on).map(({ grantor, sql: grant }) =>
    grantor !== owner && target.assumableRoles.has(grantor)
      ? commands(`SET ROLE ${quoteIdentifier(grantor)}`, grant, 'RESET ROLE')
      : grant,
  );
  return {
    key: `privileges ${object.key}`,
    kind: `privileges on ${object.kind}`,
    address: object.address,
    stage: 'privilege',
    // Whoever granted a privilege needs the schema's before.
    lane: object.kind === 'schema' ? 0 : 1,
    phase: 'other',
    sql: commands(
      isWhole && `REVOKE ALL ON ${on} FROM PUBLIC`,
      isWhole && ownsOnTarget && `REVOKE ALL ON ${on} FROM ${roleName(owner)}`,
      ...grants,
    ),
    ...(object.table && { table: object.table }),
  };
}

/** GRANT knows all relations as TABLE, and aggregates as FUNCTION with their plain argument types. */
function grantTarget({ kind, address, claims }: SchemaObject): string {
  if (kind === 'aggregate') return `FUNCTION ${claims?.replace(/^function /, '') ?? ''}`;
  return address.replace(/^(MATERIALIZED VIEW|VIEW) /, 'TABLE ');
}

/** ACLs of relations, columns, functions, schemas, types and languages. */
async function readAclRows({ client }: Source): Promise<AclRow[]> {
  const aclsOf = (catalog: string, objects: Sql): Sql => ({
    text: `
      SELECT '${catalog}' AS catalog, o.oid::bigint::text AS oid, o.column, w.rolname AS owner, g.rolname AS grantee, b.rolname AS grantor,
        x.privilege_type AS privilege, x.is_grantable AS "isGrantable", x.position
      FROM (${objects.text}) o(oid, owner, "column", acl)
      JOIN pg_catalog.pg_roles w ON w.oid = o.owner
      LEFT JOIN LATERAL pg_catalog.aclexplode(o.acl) WITH ORDINALITY x(grantor, grantee, privilege_type, is_grantable, position) ON true
      LEFT JOIN pg_catalog.pg_roles b ON b.oid = x.grantor
      LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee
      WHERE x.grantee = 0 OR g.oid IS NOT NULL OR (x.grantee IS NULL AND o.column IS NULL)`,
  });
  const rows = await readRows<Omit<AclRow, 'oid'> & { oid: string }>(client, aclQuery(aclsOf));
  return rows.map((row) => ({ ...row, oid: Number(row.oid) }));
}

/** Tested on PostgreSQL 10–18. What initdb gave to `public` is left as the target has it. */
function aclQuery(aclsOf: (catalog: string, objects: Sql) => Sql): Sql {
  return sql`
    SELECT * FROM (
      ${aclsOf(
        'pg_class',
        sql`
        SELECT c.oid, c.relowner, NULL::name, c.relacl FROM pg_catalog.pg_class c
        WHERE c.oid >= 16384 AND c.relacl IS NOT NULL`,
      )}
      UNION ALL
      ${aclsOf(
        'pg_class',
        sql`
        SELECT c.oid, c.relowner, a.attname, a.attacl
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        WHERE c.oid >= 16384 AND a.attacl IS NOT NULL AND NOT a.attisdropped`,
      )}
      UNION ALL
      ${aclsOf(
        'pg_proc',
        sql`
        SELECT p.oid, p.proowner, NULL::name, p.proacl FROM pg_catalog.pg_proc p
        WHERE p.oid >= 16384 AND p.proacl IS NOT NULL`,
      )}
      UNION ALL
      ${aclsOf(
        'pg_type',
        sql`
        SELECT t.oid, t.typowner, NULL::name, t.typacl FROM pg_catalog.pg_type t
        WHERE t.oid >= 16384 AND t.typacl IS NOT NULL`,
      )}
      UNION ALL
      ${aclsOf(
        'pg_language',
        sql`
        SELECT l.oid, l.lanowner, NULL::name, l.lanacl FROM pg_catalog.pg_language l
        WHERE l.oid >= 16384 AND l.lanacl IS NOT NULL`,
      )}
      UNION ALL
      ${aclsOf(
        'pg_namespace',
        sql`
        SELECT n.oid, n.nspowner, NULL::name, n.nspacl FROM pg_catalog.pg_namespace n
        WHERE n.nspacl IS NOT NULL AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_init_privs i
          WHERE i.classoid = 'pg_catalog.pg_namespace'::regclass AND i.objoid = n.oid AND i.initprivs = n.nspacl)`,
      )}
    ) acls
    ORDER BY catalog, oid, "column" NULLS FIRST, position`;
}
