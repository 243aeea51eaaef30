import { inUserSchema, notExtensionMember, readRows, since, sql } from '@sluice/postgres-catalog';
import { type LeftOut } from './leave-out.js';
import { type Source } from './schema-object.js';

/**
 * What the source has and the plan does not create, so that nothing is dropped in silence. Tested on PostgreSQL 10–18.
 * A key that no object has stands for a property, which nothing needs.
 */
export async function readUnsupported({ client, versionNum }: Source): Promise<LeftOut[]> {
  const withOids = since(versionNum, {
    from: 120_000,
    use: sql``,
    before: sql`UNION ALL
      SELECT 'oids:' || c.oid, 'oids', pg_catalog.format('table %I.%I', n.nspname, c.relname), 'WITH OIDS does not exist in newer servers',
        n.nspname::text, c.relname::text
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relhasoids AND c.relkind IN ('r', 'p') AND ${inUserSchema}`,
  });
  const rows = await readRows<Omit<LeftOut, 'relation'> & { schema: string | null; name: string | null }>(
    client,
    sql`
    SELECT 'pg_class:' || c.oid AS key, 'foreign table' AS kind, pg_catalog.format('foreign table %I.%I', n.nspname, c.relname) AS identity,
      'foreign tables read from elsewhere; create them by hand' AS reason,
      n.nspname::text AS schema, c.relname::text AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'f' AND ${inUserSchema} AND ${notExtensionMember(sql`pg_class`, sql`c.oid`)}
    UNION ALL
    SELECT 'pg_foreign_server:' || s.oid, 'foreign server', pg_catalog.format('foreign server %I', s.srvname),
      'its user mappings hold secrets; create it by hand', NULL, NULL
    FROM pg_catalog.pg_foreign_server s WHERE ${notExtensionMember(sql`pg_foreign_server`, sql`s.oid`)}
    UNION ALL
    SELECT 'pg_foreign_data_wrapper:' || w.oid, 'foreign-data wrapper', pg_catalog.format('foreign-data wrapper %I', w.fdwname),
      'create it by hand', NULL, NULL
    FROM pg_catalog.pg_foreign_data_wrapper w WHERE ${notExtensionMember(sql`pg_foreign_data_wrapper`, sql`w.oid`)}
    UNION ALL
    SELECT 'tablespace:' || t.spcname, 'tablespace', pg_catalog.format('tablespace %I', t.spcname),
      pg_catalog.format('tablespaces are not transferred; its %s relations go to the default of the target', count(*)), NULL, NULL
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${inUserSchema} GROUP BY t.spcname
    UNION ALL
    SELECT 'security label:' || l.provider, 'security label', pg_catalog.format('label of provider %s', l.provider),
      pg_catalog.format('%s security labels are not transferred', count(*)), NULL, NULL
    FROM pg_catalog.pg_seclabel l GROUP BY l.provider
    ${withOids}`,
  );
  return rows.map(({ schema, name, ...unsupported }) => ({
    ...unsupported,
    ...(schema !== null && name !== null && { relation: { schema, name } }),
  }));
}
