import { present } from '@sluice/kernel';
import { readRows, readVersionNum, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { EVENT_TABLE } from '../decode-ddl-event.js';
import { SECRET_SEQUENCES } from './event-secret.js';
import { type DdlCaptureOptions, eventTriggers } from './event-triggers.js';
import { MESSAGES_SINCE, triggerBody } from './trigger-function.js';

export interface DdlCaptureState {
  /** Anything of it is there. */
  readonly isInstalled: boolean;
  /** All of it is there and switched on. */
  readonly isComplete: boolean;
  /** The function is the one that this version of Sluice installs on this version of the server. */
  readonly isCurrent: boolean;
  /** The function is there and all event triggers run it, though it may be that of another version. */
  readonly isRunning: boolean;
  /** What is not as it has to be, for a person. */
  readonly missing: readonly string[];
  /** This account may create event triggers, as far as can be told without trying. */
  readonly mayInstall: boolean;
  readonly isSuperuser: boolean;
  readonly account: string;
}

/** Roles of hosted services that may create event triggers without being superuser. */
const ROLES_THAT_MAY = ['rds_superuser', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'supabase_admin'];

interface Found {
  readonly isSuperuser: boolean;
  readonly mayInstall: boolean;
  readonly hasSchema: boolean;
  readonly hasFunction: boolean;
  readonly isCurrent: boolean;
  readonly account: string;
  readonly needsTable: boolean;
  readonly hasSecret: boolean;
  readonly mayReadSecret: boolean;
  readonly hasTable: boolean;
  readonly isSwitchedOff: boolean;
  readonly triggers: string[];
  readonly brokenTriggers: string[];
}

/** PostgreSQL 10–18. */
export async function ddlCaptureState(client: Client, options: DdlCaptureOptions): Promise<DdlCaptureState> {
  const { helperName, publicationName } = options;
  const triggerNames = eventTriggers(helperName).map(({ name }) => name);
  const found = await readFound(client, { ...options, triggerNames });
  const brokenTriggers = [
    ...triggerNames.filter((name) => !found.triggers.includes(name)).map((name) => `event trigger ${name}`),
    ...found.brokenTriggers.map((name) => `event trigger ${name} is not enabled always`),
  ];
  const missing = [
    ...(found.hasSchema ? [] : [`schema ${helperName}`]),
    ...(found.hasFunction ? [] : [`function ${helperName}.capture()`]),
    ...(found.needsTable && !found.hasTable
      ? [`table ${helperName}.${EVENT_TABLE} in publication ${publicationName}`]
      : []),
    ...(found.needsTable || found.hasSecret
      ? []
      : [`sequences ${SECRET_SEQUENCES.join(', ')} in schema ${helperName}`]),
    ...(found.needsTable || found.mayReadSecret
      ? []
      : [`SELECT on the sequences of schema ${helperName} for ${found.account}`]),
    ...brokenTriggers,
    ...(found.isSwitchedOff ? ['the setting event_triggers is off'] : []),
  ];
  return {
    isInstalled: found.hasSchema || found.triggers.length > 0,
    isComplete: missing.length === 0,
    isCurrent: found.isCurrent,
    isRunning: found.hasFunction && brokenTriggers.length === 0,
    missing,
    mayInstall: found.mayInstall,
    isSuperuser: found.isSuperuser,
    account: found.account,
  };
}

async function readFound(
  client: Client,
  { helperName, publicationName, triggerNames }: DdlCaptureOptions & { readonly triggerNames: readonly string[] },
): Promise<Found> {
  const [row] = await readRows<Found>(
    client,
    sql`SELECT r.rolsuper AS "isSuperuser", r.rolname::text AS account,
      r.rolsuper OR EXISTS (SELECT FROM pg_catalog.pg_roles g WHERE g.rolname = ANY ($3) AND pg_catalog.pg_has_role(g.oid, 'USAGE')) AS "mayInstall",
      EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1) AS "hasSchema",
      EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND p.proname = 'capture') AS "hasFunction",
      EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND p.proname = 'capture' AND p.prosrc = $7) AS "isCurrent",
      pg_catalog.current_setting('server_version_num')::int < $4 AS "needsTable",
      (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = ANY ($8) AND c.relkind = 'S') = $9::int AS "hasSecret",
      NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = ANY ($8) AND CASE c.relkind WHEN 'S' THEN NOT (
          pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT')) END) AS "mayReadSecret",
      EXISTS (SELECT FROM pg_catalog.pg_publication_tables p
        WHERE p.pubname = $2 AND p.schemaname = $1 AND p.tablename = $5) AS "hasTable",
      coalesce(pg_catalog.current_setting('event_triggers', true) = 'off', false) AS "isSwitchedOff",
      ARRAY(SELECT e.evtname::text FROM pg_catalog.pg_event_trigger e WHERE e.evtname = ANY ($6)) AS triggers,
      ARRAY(SELECT e.evtname::text FROM pg_catalog.pg_event_trigger e WHERE e.evtname = ANY ($6) AND e.evtenabled <> 'A') AS "brokenTriggers"
      FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`,
    [
      helperName,
      publicationName,
      ROLES_THAT_MAY,
      MESSAGES_SINCE,
      EVENT_TABLE,
      triggerNames,
      triggerBody(helperName, await readVersionNum(client)),
      SECRET_SEQUENCES,
      SECRET_SEQUENCES.length,
    ],
  );
  return present(row, 'role of the session');
}
