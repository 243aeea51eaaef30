import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteQualified } from '@sluice/postgres-client';
import { objectKey, type SchemaObject, type Source } from '../schema-object.js';

interface FunctionRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isProcedure: boolean;
  readonly identityArguments: string;
  readonly inputTypes: string;
  readonly definition: string;
  /** Written in a language that could do anything to the server, or promising not to leak what it sees. */
  readonly isPrivileged: boolean;
}

/**
 * Functions, window functions and procedures, as the server prints them. Tested on PostgreSQL 10–18.
 * The constructors of range types are made with the type (deptype `i`).
 */
export async function readFunctions({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const isPlain = since(versionNum, { from: 110_000, use: sql`p.prokind <> 'a'`, before: sql`NOT p.proisagg` });
  const isProcedure = since(versionNum, { from: 110_000, use: sql`p.prokind = 'p'`, before: sql`false` });
  const rows = await readRows<FunctionRow>(
    client,
    sql`
    SELECT p.oid, n.nspname AS schema, p.proname AS name, r.rolname AS owner, ${isProcedure} AS "isProcedure",
      pg_catalog.pg_get_function_identity_arguments(p.oid) AS "identityArguments",
      pg_catalog.oidvectortypes(p.proargtypes) AS "inputTypes",
      pg_catalog.pg_get_functiondef(p.oid) AS definition, NOT l.lanpltrusted OR p.proleakproof AS "isPrivileged"
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
    WHERE ${inUserSchema} AND ${isPlain} AND ${notExtensionMember(sql`pg_proc`, sql`p.oid`)}
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
    ORDER BY n.nspname, p.proname, "identityArguments"`,
  );
  return rows.map((row) => {
    const name = quoteQualified(row.schema, row.name);
    return {
      key: objectKey('pg_proc', row.oid),
      kind: row.isProcedure ? 'procedure' : 'function',
      address: `${row.isProcedure ? 'PROCEDURE' : 'FUNCTION'} ${name}(${row.identityArguments})`,
      stage: 'pre',
      sql: row.definition.trimEnd(),
      claims: `function ${name}(${row.inputTypes})`,
      owner: row.owner,
      needsSuperuser: row.isPrivileged,
    };
  });
}
