import { readRows, sql, type Sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { commands, type ObjectKey, type SchemaObject, type Source } from '../schema-object.js';
import { type Wanted } from '../select/select-wanted.js';
import { type TargetFacts } from '../target-facts.js';
import { roleName } from './acl.js';

interface ChangeRow {
  readonly key: ObjectKey;
  /** As GRANT … ON takes it. */
  readonly on: string;
  readonly column: string | null;
  readonly privilege: string;
  readonly grantee: string | null;
  readonly isGrantable: boolean;
  readonly isRevoked: boolean;
  /** The extension that the object is a member of; `null` for what every database has. */
  readonly extension: string | null;
}

/**
 * Rights on objects that are there without us: members of extensions and what initdb made. Only what was changed since
 * (pg_init_privs) is done again, and only by a superuser, who alone may. Of information_schema no beginnings are kept.
 */
export async function readMemberPrivileges(
  source: Source,
  { objects, withRightsOnInitial }: Pick<Wanted, 'objects' | 'withRightsOnInitial'>,
  target: TargetFacts,
): Promise<{ objects: SchemaObject[]; unsupported: UnsupportedObject[] }> {
  const isThere = ({ extension }: ChangeRow): boolean =>
    extension === null
      ? withRightsOnInitial
      : objects.some(({ address }) => address === `EXTENSION ${quoteIdentifier(extension)}`);
  const rows = (await readRows<ChangeRow>(source.client, changesQuery())).filter(isThere);
  const known = rows.filter(
    ({ grantee }) => grantee === null || (target.roles.has(grantee) && !target.rolesWithoutPrivileges.has(grantee)),
  );
  const byObject = [...Map.groupBy(known, ({ on }) => on).values()];
  if (!target.isSuperuser) {
    return {
      objects: [],
      unsupported: byObject.map((changes) => ({
        kind: 'privilege',
        identity: `privileges on ${changes[0]?.on ?? ''}`,
        reason: 'only a superuser may change them, and the connecting role of the target is none',
      })),
    };
  }
  return { objects: byObject.map((changes) => toObject(changes, source)), unsupported: [] };
}

function toObject(changes: readonly ChangeRow[], { versionNum, targetVersionNum }: Source): SchemaObject {
  const on = changes[0]?.on ?? '';
  const text = commands(...changes.map(toCommand));
  const isSameMajor = Math.floor(versionNum / 10_000) === Math.floor(targetVersionNum / 10_000);
  return {
    key: `privileges ${changes[0]?.key ?? ''}:${on}`,
    kind: 'privileges on member',
    address: on,
    stage: 'privilege',
    lane: 1,
    phase: 'other',
    sql: isSameMajor ? text : whereItExists(text),
  };
}

function toCommand({ on, column, privilege, grantee, isGrantable, isRevoked }: ChangeRow): string {
  const what = `${privilege}${column === null ? '' : ` (${quoteIdentifier(column)})`} ON ${on}`;
  if (isRevoked) return `REVOKE ${what} FROM ${roleName(grantee)}`;
  return `GRANT ${what} TO ${roleName(grantee)}${isGrantable ? ' WITH GRANT OPTION' : ''}`;
}

/** A newer server may have given up the object, and nothing is lost then. */
function whereItExists(text: string): string {
  return `DO $sluice$ BEGIN
${text};
EXCEPTION WHEN undefined_function OR undefined_table OR undefined_column OR undefined_object THEN NULL;
END $sluice$`;
}

/** Tested on PostgreSQL 10–18. */
function changesQuery(): Sql {
  return sql`
    SELECT c.key, c.on, c.column, c.privilege, g.rolname AS grantee, c."isGrantable", c."isRevoked",
      -- plpgsql is in every database.
      CASE WHEN c.oid >= 16384 THEN e.extname END AS extension
    FROM (
      ${changesOf({
        catalog: sql`pg_class`,
        objects: sql`
          SELECT o.oid, o.relowner, NULL::name, 0, o.relacl,
            CASE WHEN o.relkind = 'S' THEN 's' ELSE 'r' END,
            CASE WHEN o.relkind = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || o.oid::regclass
          FROM pg_catalog.pg_class o
          WHERE o.relacl IS NOT NULL AND o.relnamespace <> 'information_schema'::regnamespace`,
      })}
      UNION ALL
      ${changesOf({
        catalog: sql`pg_class`,
        objects: sql`
          SELECT o.oid, o.relowner, a.attname, a.attnum::int, a.attacl, 'c', 'TABLE ' || o.oid::regclass
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class o ON o.oid = a.attrelid
          WHERE a.attacl IS NOT NULL AND o.relnamespace <> 'information_schema'::regnamespace`,
      })}
      UNION ALL
      ${changesOf({
        catalog: sql`pg_proc`,
        objects: sql`
          SELECT o.oid, o.proowner, NULL::name, 0, o.proacl, 'f', 'FUNCTION ' || o.oid::regprocedure
          FROM pg_catalog.pg_proc o WHERE o.proacl IS NOT NULL`,
      })}
      UNION ALL
      ${changesOf({
        catalog: sql`pg_type`,
        objects: sql`
          SELECT o.oid, o.typowner, NULL::name, 0, o.typacl, 'T', 'TYPE ' || o.oid::regtype
          FROM pg_catalog.pg_type o WHERE o.typacl IS NOT NULL`,
      })}
      UNION ALL
      ${changesOf({
        catalog: sql`pg_language`,
        objects: sql`
          SELECT o.oid, o.lanowner, NULL::name, 0, o.lanacl, 'l', pg_catalog.format('LANGUAGE %I', o.lanname)
          FROM pg_catalog.pg_language o WHERE o.lanacl IS NOT NULL`,
      })}
    ) c("catalog", oid, key, "on", "column", privilege, grantee, "isGrantable", "isRevoked")
    LEFT JOIN pg_catalog.pg_roles g ON g.oid = c.grantee
    LEFT JOIN pg_catalog.pg_depend d ON d.classid = c.catalog AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE (c.oid < 16384 OR e.oid IS NOT NULL) AND (c.grantee = 0 OR g.oid IS NOT NULL)
    ORDER BY c.on, "isRevoked" DESC, c.column NULLS FIRST, c.privilege, g.rolname`;
}

/** Rights that are there and were not, or the other way round; those of the owner stay as the target has them. */
function changesOf({ catalog, objects }: { catalog: Sql; objects: Sql }): Sql {
  const item = (acl: Sql): Sql => sql`
    SELECT x.grantee, x.privilege_type, x.is_grantable FROM pg_catalog.aclexplode(${acl}) x WHERE x.grantee <> o.owner`;
  const before = sql`coalesce(i.initprivs, pg_catalog.acldefault(o.kind::"char", o.owner))`;
  return sql`
      SELECT 'pg_catalog.${catalog}'::regclass, o.oid, '${catalog}:' || o.oid, o.on, o.column,
        x.privilege_type, x.grantee, x.is_grantable, x.revoked
      FROM (${objects}) o(oid, owner, "column", number, acl, kind, "on")
      LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = 'pg_catalog.${catalog}'::regclass AND i.objoid = o.oid AND i.objsubid = o.number
      CROSS JOIN LATERAL (
        SELECT added.*, false FROM (${item(sql`o.acl`)} EXCEPT ${item(before)}) added
        UNION ALL
        SELECT gone.*, true FROM (${item(before)} EXCEPT ${item(sql`o.acl`)}) gone
      ) x(grantee, privilege_type, is_grantable, revoked)
      WHERE o.oid < 16384 OR EXISTS (
        SELECT FROM pg_catalog.pg_depend m
        WHERE m.classid = 'pg_catalog.${catalog}'::regclass AND m.objid = o.oid AND m.deptype = 'e')`;
}
