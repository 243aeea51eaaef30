import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { objectKey, type ObjectKey, type SchemaObject, type Source } from '../schema-object.js';

interface DomainRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly base: string;
  readonly collation: string | null;
  readonly default: string | null;
  readonly notNull: boolean;
  /** Kept by name from 17 on. */
  readonly notNullConstraint: { readonly oid: number; readonly name: string } | null;
  readonly checks: readonly {
    readonly oid: number;
    readonly name: string;
    readonly definition: string;
    readonly valid: boolean;
  }[];
}

/** Tested on PostgreSQL 10–18. */
export async function readDomains({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const notNullConstraint = since(versionNum, {
    from: 170_000,
    use: sql`(SELECT pg_catalog.json_build_object('oid', k.oid::bigint, 'name', k.conname)
      FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'n')`,
    before: sql`NULL::json`,
  });
  const rows = await readRows<DomainRow>(
    client,
    sql`
    SELECT t.oid, n.nspname AS schema, t.typname AS name, r.rolname AS owner,
      pg_catalog.format_type(t.typbasetype, t.typtypmod) AS base,
      (SELECT pg_catalog.format('%I.%I', cn.nspname, c.collname)
       FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace
       WHERE c.oid = t.typcollation AND t.typcollation <> b.typcollation) AS collation,
      coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::regclass), t.typdefault) AS default,
      t.typnotnull AS "notNull", ${notNullConstraint} AS "notNullConstraint",
      coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object('oid', k.oid::bigint, 'name', k.conname, 'valid', k.convalidated,
          'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '[]') AS checks
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = t.typowner
    WHERE t.typtype = 'd' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_type`, sql`t.oid`)}
    ORDER BY n.nspname, t.typname`,
  );
  return rows.flatMap((row) => [
    toDomain(row),
    ...row.checks.map((check) => toNamedCheck(row, check)),
    ...(row.notNullConstraint === null
      ? []
      : [toNamedCheck(row, { ...row.notNullConstraint, definition: '', valid: true })]),
  ]);
}

function toDomain(row: DomainRow): SchemaObject {
  const name = quoteQualified(row.schema, row.name);
  const partOf = (check: DomainRow['checks'][number]): string =>
    `CONSTRAINT ${quoteIdentifier(check.name)} ${check.definition}`;
  const create = (detached: ReadonlySet<ObjectKey>): string =>
    [
      `CREATE DOMAIN ${name} AS ${row.base}`,
      ...(row.collation === null ? [] : [`COLLATE ${row.collation}`]),
      ...(row.default === null ? [] : [`DEFAULT ${row.default}`]),
      ...notNullOf(row),
      ...row.checks
        .filter(({ oid, valid }) => valid && !detached.has(objectKey('pg_constraint', oid)))
        .map((check) => `\n  ${partOf(check)}`),
    ].join(' ');
  const detachable = row.checks
    .filter(({ valid }) => valid)
    .map((check) => ({
      key: objectKey('pg_constraint', check.oid),
      kind: 'check',
      identity: `check ${quoteIdentifier(check.name)} of domain ${name}`,
      sql: `ALTER DOMAIN ${name} ADD ${partOf(check)}`,
    }));
  return {
    key: objectKey('pg_type', row.oid),
    kind: 'domain',
    address: `DOMAIN ${name}`,
    stage: 'pre',
    sql: create(new Set()),
    sqlWithout: create,
    parts: detachable,
    claims: `type ${name}`,
    owner: row.owner,
  };
}

/** Named only where the name is not what the server would make up. */
function notNullOf({ name, notNull, notNullConstraint }: DomainRow): string[] {
  if (!notNull) return [];
  if (notNullConstraint === null || notNullConstraint.name === `${name}_not_null`) return ['NOT NULL'];
  return [`CONSTRAINT ${quoteIdentifier(notNullConstraint.name)} NOT NULL`];
}

/** The check as something to comment on; created with its domain, or after the rows when it is NOT VALID. */
function toNamedCheck(row: DomainRow, check: DomainRow['checks'][number]): SchemaObject {
  const [domain, constraint] = [quoteQualified(row.schema, row.name), `CONSTRAINT ${quoteIdentifier(check.name)}`];
  return {
    key: objectKey('pg_constraint', check.oid),
    kind: 'check',
    address: `${constraint} ON DOMAIN ${domain}`,
    stage: check.valid ? 'pre' : 'behaviour',
    sql: check.valid ? '' : `ALTER DOMAIN ${domain} ADD ${constraint} ${check.definition}`,
  };
}
