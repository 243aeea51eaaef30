import { inUserSchema, readRows, since, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type ObjectKey, type SchemaObject, type Source } from '../schema-object.js';

interface DependencyRow {
  readonly key: ObjectKey;
  readonly extension: string;
  readonly extensionKey: ObjectKey;
  readonly address: string;
}

/**
 * `DEPENDS ON EXTENSION`: the object is dropped with the extension without being a member of it.
 * Tested on PostgreSQL 10–18. Procedures are spoken of as routines from 11.
 */
export async function readExtensionDependencies({ client, versionNum }: Source): Promise<SchemaObject[]> {
  const routine = since(versionNum, { from: 110_000, use: sql`'ROUTINE '`, before: sql`'FUNCTION '` });
  const rows = await readRows<DependencyRow>(
    client,
    sql`
    SELECT d.classid::regclass || ':' || d.objid AS key, e.extname AS extension, 'pg_extension:' || e.oid AS "extensionKey",
      CASE WHEN p.oid IS NOT NULL THEN ${routine} || p.oid::regprocedure
        WHEN t.oid IS NOT NULL THEN pg_catalog.format('TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
        WHEN c.relkind = 'm' THEN 'MATERIALIZED VIEW ' || c.oid::regclass
        WHEN c.relkind IN ('i', 'I') THEN 'INDEX ' || c.oid::regclass END AS address
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    LEFT JOIN pg_catalog.pg_proc p ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
    LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = d.objid
    LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::regclass AND c.oid = d.objid
    LEFT JOIN pg_catalog.pg_class tc ON tc.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(p.pronamespace, c.relnamespace, tc.relnamespace)
    WHERE d.deptype = 'x' AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND ${inUserSchema}
    ORDER BY address, extension`,
  );
  return rows.map(({ key, extension, extensionKey, address }, lane) => ({
    key: `depends on ${extensionKey} ${key}` as const,
    kind: 'dependency on an extension',
    address,
    stage: 'dependency',
    // Several of one object must not meet.
    lane,
    phase: 'other',
    sql: `ALTER ${address} DEPENDS ON EXTENSION ${quoteIdentifier(extension)}`,
    needs: [key, extensionKey],
  }));
}
