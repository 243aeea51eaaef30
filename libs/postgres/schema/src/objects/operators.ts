import { inUserSchema, notExtensionMember, readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface OperatorRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly left: string | null;
  readonly right: string | null;
  readonly procedure: string;
  readonly commutator: string | null;
  readonly negator: string | null;
  readonly restrict: string | null;
  readonly join: string | null;
  readonly canMerge: boolean;
  readonly canHash: boolean;
}

const operatorName = (oid: ReturnType<typeof sql>): ReturnType<typeof sql> => sql`
  (SELECT pg_catalog.format('OPERATOR(%I.%s)', ns.nspname, op.oprname)
   FROM pg_catalog.pg_operator op JOIN pg_catalog.pg_namespace ns ON ns.oid = op.oprnamespace
   WHERE op.oid = ${oid})`;

/**
 * Tested on PostgreSQL 10–18. A commutator or negator that does not exist yet is entered by the server as a shell and
 * filled when its turn comes, so the pair needs no order. PROCEDURE is the spelling that 10 knows.
 */
export async function readOperators({ client }: Source): Promise<SchemaObject[]> {
  const rows = await readRows<OperatorRow>(
    client,
    sql`
    SELECT o.oid, n.nspname AS schema, o.oprname AS name, r.rolname AS owner,
      CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END AS left,
      CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END AS right,
      o.oprcode::regproc::text AS procedure,
      ${operatorName(sql`o.oprcom`)} AS commutator, ${operatorName(sql`o.oprnegate`)} AS negator,
      nullif(o.oprrest::regproc::text, '-') AS restrict, nullif(o.oprjoin::regproc::text, '-') AS join,
      o.oprcanmerge AS "canMerge", o.oprcanhash AS "canHash"
    FROM pg_catalog.pg_operator o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = o.oprowner
    WHERE ${inUserSchema} AND o.oprcode <> 0 AND ${notExtensionMember(sql`pg_operator`, sql`o.oid`)}
    ORDER BY n.nspname, o.oprname, o.oid`,
  );
  return rows.map((row) => {
    const name = `${quoteIdentifier(row.schema)}.${row.name}`;
    const operands = `(${row.left ?? 'NONE'}, ${row.right ?? 'NONE'})`;
    return {
      key: objectKey('pg_operator', row.oid),
      kind: 'operator',
      address: `OPERATOR ${name} ${operands}`,
      stage: 'pre',
      sql: `CREATE OPERATOR ${name} (\n  ${operatorOptions(row).join(',\n  ')}\n)`,
      claims: `operator ${name} ${operands}`,
      owner: row.owner,
    };
  });
}

function operatorOptions(row: OperatorRow): string[] {
  const pairs: [string, string | null][] = [
    ['PROCEDURE', row.procedure],
    ['LEFTARG', row.left],
    ['RIGHTARG', row.right],
    ['COMMUTATOR', row.commutator],
    ['NEGATOR', row.negator],
    ['RESTRICT', row.restrict],
    ['JOIN', row.join],
  ];
  return [
    ...pairs.flatMap(([option, value]) => (value === null ? [] : [`${option} = ${value}`])),
    ...(row.canMerge ? ['MERGES'] : []),
    ...(row.canHash ? ['HASHES'] : []),
  ];
}
