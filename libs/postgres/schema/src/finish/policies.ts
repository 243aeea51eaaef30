import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { commands, objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface PolicyRow {
  readonly oid: number;
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly isPermissive: boolean;
  readonly command: '*' | 'a' | 'd' | 'r' | 'w';
  /** Empty means PUBLIC. */
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

const COMMANDS = { '*': 'ALL', a: 'INSERT', d: 'DELETE', r: 'SELECT', w: 'UPDATE' } as const;
/** After the lanes of rules, whose number is unknown here. */
const FIRST_LANE = 1_000_000;

/** Policies for roles the target has; a policy left without any role is not created. Tested on PostgreSQL 10–18. */
export async function readPolicies(
  { client }: Source,
  targetRoles: ReadonlySet<string>,
): Promise<{ objects: SchemaObject[]; unsupported: UnsupportedObject[] }> {
  const rows = await readRows<PolicyRow>(
    client,
    sql`
    SELECT p.oid, p.polname AS name, n.nspname AS schema, c.relname AS table, p.polpermissive AS "isPermissive",
      p.polcmd AS command,
      ARRAY(SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles)
        ORDER BY pg_catalog.array_position(p.polroles, r.oid)) AS roles,
      pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS using, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS check
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname, p.polname`,
  );
  const objects: SchemaObject[] = [];
  const unsupported: UnsupportedObject[] = [];
  for (const row of rows) {
    const roles = row.roles.filter((role) => targetRoles.has(role));
    if (roles.length < row.roles.length) {
      unsupported.push({
        kind: 'policy',
        identity: `policy ${quoteIdentifier(row.name)} ON ${quoteQualified(row.schema, row.table)}`,
        relation: { schema: row.schema, name: row.table },
        reason: `roles are missing on the target: ${row.roles.filter((role) => !targetRoles.has(role)).join(', ')}`,
      });
    }
    if (row.roles.length === 0 || roles.length > 0)
      objects.push(toPolicy({ ...row, roles }, FIRST_LANE + objects.length));
  }
  return { objects, unsupported };
}

function toPolicy(row: PolicyRow, lane: number): SchemaObject {
  const table = quoteQualified(row.schema, row.table);
  const name = quoteIdentifier(row.name);
  return {
    key: objectKey('pg_policy', row.oid),
    kind: 'policy',
    address: `POLICY ${name} ON ${table}`,
    stage: 'behaviour',
    lane,
    phase: 'other',
    sql: [
      `CREATE POLICY ${name} ON ${table}`,
      ...(row.isPermissive ? [] : ['AS RESTRICTIVE']),
      `FOR ${COMMANDS[row.command]}`,
      ...(row.roles.length === 0 ? [] : [`TO ${row.roles.map(quoteIdentifier).join(', ')}`]),
      ...(row.using === null ? [] : [`USING (${row.using})`]),
      ...(row.check === null ? [] : [`WITH CHECK (${row.check})`]),
    ].join(' '),
    table: { schema: row.schema, name: row.table },
  };
}

/** Row-level security and REPLICA IDENTITY FULL or NOTHING, the settings of a table as such. Tested on PostgreSQL 10–18. */
export async function readTableSettings({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<{
    oid: number;
    schema: string;
    name: string;
    secured: boolean;
    forced: boolean;
    identity: string;
  }>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relrowsecurity AS secured, c.relforcerowsecurity AS forced,
      c.relreplident AS identity
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
      AND (c.relrowsecurity OR c.relforcerowsecurity OR c.relreplident IN ('f', 'n'))
      AND ${inUserSchema} AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    ORDER BY n.nspname, c.relname`,
  );
  return rows.map((row) => {
    const table = quoteQualified(row.schema, row.name);
    return {
      key: objectKey('table settings', row.oid),
      kind: 'settings of table',
      address: `TABLE ${table}`,
      stage: 'behaviour',
      phase: 'other',
      sql: commands(
        row.identity === 'f' && `ALTER TABLE ONLY ${table} REPLICA IDENTITY FULL`,
        row.identity === 'n' && `ALTER TABLE ONLY ${table} REPLICA IDENTITY NOTHING`,
        row.secured && `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
        row.forced && `ALTER TABLE ONLY ${table} FORCE ROW LEVEL SECURITY`,
      ),
      table: { schema: row.schema, name: row.name },
      needs: [objectKey('pg_class', row.oid)],
    };
  });
}
