import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { EVENT_TABLE } from '../decode-ddl-event.js';
import { signatureOf } from './event-secret.js';
import { tableFacts } from './table-facts.js';

/** Since this major SQL can send a message to logical clients, and pgoutput hands it on. */
export const MESSAGES_SINCE = 140_000;

/**
 * A session or transaction with this at `off` is not captured: for our own DDL, and for an operator who knows better. Everybody can set it,
 * so it counts only for superusers and for members of the function's owner or of a role that may use the helper schema, as the account of
 * the task. It is who logged in that counts, whatever role was taken on since and whose function it is.
 */
export const CAPTURE_SETTING = 'sluice.ddl_capture';

export interface TriggerFunctionOptions {
  readonly helperName: string;
  readonly versionNum: number;
  /** A superuser will own it, who may ask for untranslated messages. */
  readonly isSuperuser: boolean;
}

/** What the meaning of a text depends on, and every server knows. */
const RECORDED_SETTINGS = [
  'search_path',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'standard_conforming_strings',
  'xmloption',
  'array_nulls',
  'transform_null_equals',
];

/** They name nothing that a target has or could need. Privileges on them are not reported to event triggers at all. */
const NEVER_CAPTURED = '^(((CREATE|ALTER|DROP) (PUBLICATION|SUBSCRIPTION|EVENT TRIGGER))|REINDEX)';

/** The helper schemas of all tasks: another one's account may not be among those whose DDL is left out. */
const HELPERS = '^sluice_[0-9a-f]{32}$';

export function triggerFunction({ helperName, versionNum, isSuperuser }: TriggerFunctionOptions): string {
  return `CREATE OR REPLACE FUNCTION ${quoteIdentifier(helperName)}.capture() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET client_min_messages = 'error'${isSuperuser ? " SET lc_messages = 'C'" : ''} AS ${dollarQuote(triggerBody(helperName, versionNum))}`;
}

/**
 * The function of all three event triggers.
 *
 * It runs as its owner, because the user who runs DDL may have no rights on the helper schema. So nothing may be looked up along the
 * user's search_path: until that is replaced, only functions and types of pg_catalog by their qualified names, and no operators.
 * A SET clause cannot replace the path, because then the user's could not be read any more.
 */
export function triggerBody(helperName: string, versionNum: number): string {
  const settings = RECORDED_SETTINGS.map((name) => `'${name}', pg_catalog.current_setting('${name}', true)`).join(', ');
  const names = { helper: quoteLiteral(helperName), state: quoteLiteral(`${helperName}.ddl`) };
  const send = sending(helperName, versionNum);
  return `
DECLARE
  settings pg_catalog.jsonb := pg_catalog.jsonb_build_object(${settings});
  path_schemas pg_catalog.name[] := pg_catalog.current_schemas(false);
  context pg_catalog.text; query_text pg_catalog.text; query_hash pg_catalog.text; place pg_catalog.text;
  state pg_catalog.jsonb; number pg_catalog.int4; rewritten pg_catalog.jsonb; touched pg_catalog.oid[];
  commands pg_catalog.jsonb; dropped pg_catalog.jsonb; tables pg_catalog.jsonb; sources pg_catalog.jsonb;
  temporary pg_catalog.jsonb; role_name pg_catalog.text; event pg_catalog.jsonb; event_id pg_catalog.text; body pg_catalog.bytea;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  GET DIAGNOSTICS context = PG_CONTEXT;
  <<capture>>
  BEGIN
${counting(names)}
${collecting(names)}
${tableFacts(versionNum)}
${composing(names)}
    ${send}
  EXCEPTION WHEN OTHERS THEN
    -- Its own text may be what cannot be encoded.
    event := jsonb_build_object('version', 1, 'kind', 'unreadable', 'tag', TG_TAG, 'sqlState', SQLSTATE,
      'reason', regexp_replace(SQLERRM, '[^ -~]', '?', 'g'));
    event_id := md5(random()::text || clock_timestamp()::text);
    BEGIN
      ${send}
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'DDL is not captured: %', regexp_replace(SQLERRM, '[^ -~]', '?', 'g');
    END;
  END;
  -- Setting it locally outlives the function. Nothing may return before this.
  PERFORM pg_catalog.set_config('search_path', settings ->> 'search_path', true);
END`;
}

interface Names {
  readonly helper: string;
  readonly state: string;
}

/**
 * The statement is counted first, whatever becomes of it, because the count tells which statement of a text this is. Counts are kept in
 * a setting of the session: that is rolled back with the (sub)transaction, as the event is, and takes no lock.
 */
function counting({ helper, state }: Names): string {
  return `
    -- The first line is this function.
    context := CASE strpos(context, E'\\n') WHEN 0 THEN '' ELSE substr(context, strpos(context, E'\\n') + 1) END;
    query_text := coalesce(current_query(), '');
    query_hash := md5(query_text);
    place := statement_timestamp()::text || ' ' || query_hash;
    state := coalesce(nullif(current_setting(${state}, true), ''), '{}')::jsonb;
    IF state ->> 'place' IS DISTINCT FROM place THEN
      state := jsonb_build_object('place', place, 'counts', '[]'::jsonb, 'rewritten', '[]'::jsonb);
    END IF;
    IF TG_EVENT = 'table_rewrite' THEN
      state := jsonb_set(state, '{rewritten}', (state -> 'rewritten') || to_jsonb(pg_event_trigger_table_rewrite_oid()::bigint));
      PERFORM set_config(${state}, state::text, false);
      EXIT capture;
    END IF;
    -- What a DROP takes away is reported before its end is, so the number is the same.
    number := 1 + coalesce((SELECT (c ->> 2)::int FROM jsonb_array_elements(state -> 'counts') c
      WHERE (c ->> 0)::int = length(context) AND c ->> 1 = md5(context)), 0);
    rewritten := state -> 'rewritten';
    IF TG_EVENT = 'ddl_command_end' THEN
      -- Only what calls this can go on later, and what calls it is the end of its context.
      state := state || jsonb_build_object('rewritten', '[]'::jsonb, 'counts',
        jsonb_build_array(jsonb_build_array(length(context), md5(context), number)) || coalesce((
          SELECT jsonb_agg(c) FROM jsonb_array_elements(state -> 'counts') c
          WHERE (c ->> 0)::int < length(context) AND c ->> 1 = md5(right(context, (c ->> 0)::int))), '[]'));
      PERFORM set_config(${state}, state::text, false);
    END IF;
    IF TG_TAG ~ '${NEVER_CAPTURED}' THEN EXIT capture; END IF;
    IF current_setting('${CAPTURE_SETTING}', true) = 'off' AND (pg_has_role(session_user, current_user, 'MEMBER') OR EXISTS (
        SELECT FROM pg_namespace n, aclexplode(n.nspacl) x
        WHERE n.nspname = ${helper} AND x.grantee <> 0 AND pg_has_role(session_user, x.grantee, 'MEMBER'))) THEN
      EXIT capture;
    END IF;`;
}

/** Privileges that an object was born with, where they are not the usual ones: those of ALTER DEFAULT PRIVILEGES. */
const CREATED_ACL = `CASE WHEN c.command_tag !~ '^(CREATE|SELECT) ' THEN NULL ELSE (
          SELECT jsonb_agg(jsonb_build_object('grantee', CASE x.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(x.grantee) END,
            'privilege', x.privilege_type, 'isGrantable', x.is_grantable))
          FROM aclexplode(coalesce((SELECT r.relacl FROM pg_class r WHERE c.classid = 'pg_class'::regclass AND r.oid = c.objid),
            (SELECT p.proacl FROM pg_proc p WHERE c.classid = 'pg_proc'::regclass AND p.oid = c.objid),
            (SELECT t.typacl FROM pg_type t WHERE c.classid = 'pg_type'::regclass AND t.oid = c.objid),
            (SELECT n.nspacl FROM pg_namespace n WHERE c.classid = 'pg_namespace'::regclass AND n.oid = c.objid))) x) END`;

/** The relation that an object is or belongs to; of a sequence of a column its table. */
const RELATION = `(SELECT jsonb_build_object('oid', r.oid::bigint, 'schema', s.nspname, 'name', r.relname, 'kind', r.relkind::text,
          'ancestors', (WITH RECURSIVE above AS (
              SELECT h.inhparent, 1 AS distance FROM pg_inherits h WHERE h.inhrelid = r.oid AND r.relispartition
              UNION ALL SELECT h.inhparent, a.distance + 1
              FROM above a JOIN pg_class p ON p.oid = a.inhparent AND p.relispartition JOIN pg_inherits h ON h.inhrelid = p.oid)
            SELECT coalesce(jsonb_agg(jsonb_build_object('schema', ns.nspname, 'name', p.relname) ORDER BY a.distance), '[]')
            FROM above a JOIN pg_class p ON p.oid = a.inhparent JOIN pg_namespace ns ON ns.oid = p.relnamespace))
        FROM pg_class r JOIN pg_namespace s ON s.oid = r.relnamespace
        WHERE r.oid = CASE c.classid
          WHEN 'pg_class'::regclass THEN coalesce((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = c.objid),
            (SELECT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.objid AND d.objsubid = 0
              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid <> 0 AND d.deptype IN ('a', 'i')
              AND EXISTS (SELECT FROM pg_sequence q WHERE q.seqrelid = c.objid) LIMIT 1), c.objid)
          WHEN 'pg_trigger'::regclass THEN (SELECT t.tgrelid FROM pg_trigger t WHERE t.oid = c.objid)
          WHEN 'pg_policy'::regclass THEN (SELECT l.polrelid FROM pg_policy l WHERE l.oid = c.objid)
          WHEN 'pg_rewrite'::regclass THEN (SELECT w.ev_class FROM pg_rewrite w WHERE w.oid = c.objid)
          WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = c.objid)
          WHEN 'pg_attrdef'::regclass THEN (SELECT f.adrelid FROM pg_attrdef f WHERE f.oid = c.objid)
          WHEN 'pg_statistic_ext'::regclass THEN (SELECT x.stxrelid FROM pg_statistic_ext x WHERE x.oid = c.objid)
          WHEN 'pg_type'::regclass THEN (SELECT y.typrelid FROM pg_type y WHERE y.oid = c.objid AND y.typrelid <> 0) END)`;

/** What happened to which objects; nothing if only to temporary ones, members of extensions, or ours. */
function collecting({ helper }: Names): string {
  return `
    IF TG_EVENT = 'ddl_command_end' THEN
      SELECT jsonb_agg(jsonb_build_object('tag', c.command_tag, 'type', c.object_type, 'schema', c.schema_name,
        'identity', c.object_identity, 'classId', c.classid::bigint, 'oid', c.objid::bigint, 'relation', ${RELATION},
        'acl', ${CREATED_ACL}, 'owner', pg_get_userbyid(coalesce(
          (SELECT d.refobjid FROM pg_shdepend d WHERE d.deptype = 'o' AND d.classid = c.classid AND d.objid = c.objid
            AND d.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())), 10::oid))))
      INTO commands
      -- Role 10 made the cluster; what it owns is not recorded.
      FROM pg_event_trigger_ddl_commands() c
      WHERE NOT c.in_extension
        AND coalesce(c.schema_name, '') NOT IN ('pg_temp', ${helper}, 'sluice') AND coalesce(c.schema_name, '') !~ '${HELPERS}'
        AND coalesce(c.object_identity, '') !~ '(^| )pg_temp(_[0-9]+)?[.]'
        AND coalesce(c.object_identity, '') NOT IN (${helper}, 'sluice') AND coalesce(c.object_identity, '') !~ '${HELPERS}';
      IF commands IS NULL THEN EXIT capture; END IF;
      touched := ARRAY(SELECT (c ->> 'oid')::oid FROM jsonb_array_elements(commands) c
        WHERE (c ->> 'classId')::oid = 'pg_class'::regclass AND c ->> 'tag' NOT IN ('COMMENT', 'SECURITY LABEL')
        UNION SELECT r::oid FROM jsonb_array_elements_text(rewritten) r);
    ELSE
      IF TG_TAG !~ '^DROP ' THEN EXIT capture; END IF;
      SELECT jsonb_agg(jsonb_build_object('type', d.object_type, 'schema', d.schema_name, 'name', d.object_name,
        'identity', d.object_identity, 'names', to_jsonb(coalesce(d.address_names, '{}')), 'oid', d.objid::bigint, 'isOriginal', d.original))
      INTO dropped
      FROM pg_event_trigger_dropped_objects() d
      WHERE (d.original OR d.object_type = 'table') AND NOT d.is_temporary
        AND coalesce(d.schema_name, '') NOT IN ('pg_temp', ${helper}, 'sluice') AND d.object_identity NOT IN (${helper}, 'sluice')
        AND coalesce(d.schema_name, '') !~ '${HELPERS}' AND d.object_identity !~ '${HELPERS}';
      IF dropped IS NULL THEN EXIT capture; END IF;
      touched := '{}';
    END IF;`;
}

/** The text travels once per transaction: a script of a megabyte may have thousands of statements. */
function composing({ state }: Names): string {
  return `
    IF context ~ '^SQL function "' THEN
      SELECT jsonb_agg(p.prosrc) INTO sources FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
      WHERE l.lanname = 'sql' AND left(substr(context, 15), length(p.proname) + 1) = p.proname || '"';
    END IF;
    IF pg_my_temp_schema() <> 0 AND TG_TAG IN ('GRANT', 'REVOKE') THEN
      SELECT jsonb_agg(c.relname) INTO temporary FROM pg_class c WHERE c.relnamespace = pg_my_temp_schema();
    END IF;
    role_name := CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END;
    event := jsonb_build_object('version', 1, 'kind', 'ddl', 'tag', TG_TAG, 'number', number, 'context', context,
      'queryHash', query_hash, 'settings', jsonb_strip_nulls(settings), 'serverVersion', current_setting('server_version_num')::int,
      'user', role_name, 'sessionUser', session_user, 'pathSchemas', (SELECT coalesce(jsonb_agg(n.nspname), '[]') FROM pg_namespace n
        WHERE n.nspname = ANY (path_schemas) OR n.nspname = role_name),
      'at', statement_timestamp(), 'commands', coalesce(commands, '[]'), 'dropped', coalesce(dropped, '[]'),
      'rewrittenOids', rewritten, 'tables', coalesce(tables, '[]'), 'functionSources', coalesce(sources, '[]'),
      'temporaryRelations', coalesce(temporary, '[]'));
    event_id := txid_current()::text;
    IF context = '' AND state ->> 'transaction' IS DISTINCT FROM event_id THEN
      state := state || jsonb_build_object('transaction', event_id);
      event := event || jsonb_build_object('query', query_text);
      PERFORM set_config(${state}, state::text, false);
    END IF;
    event_id := event_id || ' ' || clock_timestamp()::text || ' ' || random()::text;`;
}

/**
 * As bytes in UTF-8, because the server hands messages on in the encoding of the database, and behind their signature, because anybody may
 * write a message. In the table as base64, because the walsender converts text and would fail on what is in no encoding. The row is deleted
 * at once: its insertion is in the stream, and nobody has to clean up after it.
 */
function sending(helperName: string, versionNum: number): string {
  if (versionNum >= MESSAGES_SINCE) {
    const signed = `convert_to(mod(txid_current(), 4294967296)::text || E'\\n', 'UTF8') || body`;
    return `body := convert_to(event::text, 'UTF8');
    PERFORM pg_logical_emit_message(true, ${quoteLiteral(helperName)}, (${signatureOf(helperName, signed)}) || body);`;
  }
  const table = `${quoteIdentifier(helperName)}.${EVENT_TABLE}`;
  return `INSERT INTO ${table} (id, event) VALUES (event_id, encode(convert_to(event::text, 'UTF8'), 'base64'));
    DELETE FROM ${table} WHERE id = event_id;`;
}

function dollarQuote(body: string): string {
  return `$capture$${body}$capture$`;
}
