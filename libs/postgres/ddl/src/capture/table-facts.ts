const GENERATED_SINCE = 120_000;
const ACCESS_METHOD_SINCE = 120_000;

/** PL/pgSQL that describes the relations `touched` in `tables`. */
export function tableFacts(versionNum: number): string {
  const generated = versionNum >= GENERATED_SINCE ? 'a.attgenerated' : "''";
  const accessMethod =
    versionNum >= ACCESS_METHOD_SINCE ? '(SELECT m.amname FROM pg_am m WHERE m.oid = c.relam)' : 'NULL';
  return `
    SELECT jsonb_agg(jsonb_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind::text,
      'persistence', c.relpersistence::text, 'owner', pg_get_userbyid(c.relowner), 'isPartition', c.relispartition,
      'hasPrimaryKey', EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary),
      'replicaIdentity', c.relreplident::text, 'options', coalesce(to_jsonb(c.reloptions), '[]'), 'accessMethod', ${accessMethod},
      'columns', coalesce((
        SELECT jsonb_agg(jsonb_build_object('attnum', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'notNull', a.attnotnull, 'identity', a.attidentity::text, 'generated', ${generated}::text,
          'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum),
          'domainDefault', (SELECT t.typdefault FROM pg_type t WHERE t.oid = a.atttypid AND t.typtype = 'd'),
          'collation', (SELECT quote_ident(s.nspname) || '.' || quote_ident(l.collname)
            FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace JOIN pg_type t ON t.oid = a.atttypid
            WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
      'descendants', coalesce((
        WITH RECURSIVE below AS (
          SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = c.oid
          UNION SELECT h.inhrelid FROM pg_inherits h JOIN below b ON h.inhparent = b.inhrelid)
        SELECT jsonb_agg(jsonb_build_object('oid', r.oid::bigint, 'schema', s.nspname, 'name', r.relname, 'kind', r.relkind::text))
        FROM below b JOIN pg_class r ON r.oid = b.inhrelid JOIN pg_namespace s ON s.oid = r.relnamespace), '[]')))
    INTO tables
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY (touched) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't';`;
}
