import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface FamilyRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly method: string;
}

interface ClassRow extends FamilyRow {
  readonly isDefault: boolean;
  readonly type: string;
  readonly storage: string | null;
  readonly family: string;
  readonly members: readonly string[];
}

/** Operator families, still empty. Tested on PostgreSQL 10–18. */
export async function readOperatorFamilies({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<FamilyRow>(
    client,
    sql`
    SELECT f.oid, n.nspname AS schema, f.opfname AS name, r.rolname AS owner, m.amname AS method
    FROM pg_catalog.pg_opfamily f
    JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
    JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = f.opfowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_opfamily`, sql`f.oid`)}
    ORDER BY n.nspname, f.opfname`,
  );
  return rows.map((row) => {
    const address = `OPERATOR FAMILY ${quoteQualified(row.schema, row.name)} USING ${quoteIdentifier(row.method)}`;
    return {
      key: objectKey('pg_opfamily', row.oid),
      kind: 'operator family',
      address,
      stage: 'pre',
      sql: `CREATE ${address}`,
      owner: row.owner,
      needsSuperuser: true,
    };
  });
}

/** The members (pg_amop, pg_amproc) whose pg_depend row points at `refclass`.`oid`, as CREATE OPERATOR CLASS writes them. */
const membersOf = (refclass: ReturnType<typeof sql>, oid: ReturnType<typeof sql>): ReturnType<typeof sql> => sql`
  ARRAY(
    SELECT pg_catalog.format('OPERATOR %s %s%s', o.amopstrategy, o.amopopr::regoperator,
      CASE WHEN o.amopsortfamily <> 0 THEN (
        SELECT pg_catalog.format(' FOR ORDER BY %I.%I', sn.nspname, sf.opfname)
        FROM pg_catalog.pg_opfamily sf JOIN pg_catalog.pg_namespace sn ON sn.oid = sf.opfnamespace
        WHERE sf.oid = o.amopsortfamily) ELSE '' END)
    FROM pg_catalog.pg_amop o JOIN pg_catalog.pg_depend d ON d.objid = o.oid
    WHERE d.classid = 'pg_catalog.pg_amop'::regclass AND d.refclassid = 'pg_catalog.${refclass}'::regclass
      AND d.refobjid = ${oid} AND d.deptype IN ('a', 'i')
    ORDER BY o.amopstrategy, o.oid)
  || ARRAY(
    SELECT pg_catalog.format('FUNCTION %s (%s, %s) %s', p.amprocnum, pg_catalog.format_type(p.amproclefttype, NULL),
      pg_catalog.format_type(p.amprocrighttype, NULL), p.amproc::regprocedure)
    FROM pg_catalog.pg_amproc p JOIN pg_catalog.pg_depend d ON d.objid = p.oid
    WHERE d.classid = 'pg_catalog.pg_amproc'::regclass AND d.refclassid = 'pg_catalog.${refclass}'::regclass
      AND d.refobjid = ${oid} AND d.deptype IN ('a', 'i')
    ORDER BY p.amprocnum, p.oid)`;

/** Tested on PostgreSQL 10–18. */
export async function readOperatorClasses({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<ClassRow>(
    client,
    sql`
    SELECT c.oid, n.nspname AS schema, c.opcname AS name, r.rolname AS owner, m.amname AS method,
      c.opcdefault AS "isDefault", pg_catalog.format_type(c.opcintype, NULL) AS type,
      CASE WHEN c.opckeytype <> 0 THEN pg_catalog.format_type(c.opckeytype, NULL) END AS storage,
      pg_catalog.format('%I.%I', fn.nspname, f.opfname) AS family,
      ${membersOf(sql`pg_opclass`, sql`c.oid`)} AS members
    FROM pg_catalog.pg_opclass c
    JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
    JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
    JOIN pg_catalog.pg_namespace fn ON fn.oid = f.opfnamespace
    JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.opcowner
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_opclass`, sql`c.oid`)}
    ORDER BY n.nspname, c.opcname`,
  );
  return rows.map((row) => {
    const name = quoteQualified(row.schema, row.name);
    const storage = row.storage === null ? [] : [`STORAGE ${row.storage}`];
    // STORAGE of the type itself is how the grammar says "nothing": a class may have no members of its own.
    const members = [...row.members, ...storage];
    return {
      key: objectKey('pg_opclass', row.oid),
      kind: 'operator class',
      address: `OPERATOR CLASS ${name} USING ${quoteIdentifier(row.method)}`,
      stage: 'pre',
      sql:
        `CREATE OPERATOR CLASS ${name} ${row.isDefault ? 'DEFAULT ' : ''}FOR TYPE ${row.type} ` +
        `USING ${quoteIdentifier(row.method)} FAMILY ${row.family} AS\n  ` +
        (members.length > 0 ? members : [`STORAGE ${row.type}`]).join(',\n  '),
      owner: row.owner,
      needsSuperuser: true,
    };
  });
}

/** Members that were added to a family by ALTER OPERATOR FAMILY. Tested on PostgreSQL 10–18. */
export async function readLooseFamilyMembers({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<FamilyRow & { members: readonly string[] }>(
    client,
    sql`
    SELECT f.oid, n.nspname AS schema, f.opfname AS name, m.amname AS method,
      ${membersOf(sql`pg_opfamily`, sql`f.oid`)} AS members
    FROM pg_catalog.pg_opfamily f
    JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
    JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace
    WHERE ${inUserSchema} AND ${notExtensionMember(sql`pg_opfamily`, sql`f.oid`)}`,
  );
  return rows
    .filter(({ members }) => members.length > 0)
    .map((row) => {
      const name = `OPERATOR FAMILY ${quoteQualified(row.schema, row.name)} USING ${quoteIdentifier(row.method)}`;
      return {
        key: objectKey('pg_opfamily members', row.oid),
        kind: 'members of operator family',
        address: name,
        stage: 'pre',
        sql: `ALTER ${name} ADD\n  ${row.members.join(',\n  ')}`,
        needs: [objectKey('pg_opfamily', row.oid)],
      };
    });
}
