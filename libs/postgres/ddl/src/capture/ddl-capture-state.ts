import { present } from '@sluice/kernel';
import { readRows, readVersionNum, sql } from '@sluice/postgres-catalog';
import { type Client } from '@sluice/postgres-client';
import { EVENT_TABLE } from '../decode-ddl-event.js';
import { type DdlCaptureOptions, eventTriggers } from './event-triggers.js';
import { MESSAGES_SINCE, triggerBody } from './trigger-function.js';

export interface DdlCaptureState {
  /** Anything of it is there. */
  readonly isInstalled: boolean;
  /** All of it is there and switched on. */
  readonly isComplete: boolean;
  /** The function is the one that this version of Sluice installs on this version of the server. */
  readonly isCurrent: boolean;
  /** What is not as it has to be, for a person. */
  readonly missing: readonly string[];
  /** This account may create event triggers, as far as can be told without trying. */
  readonly mayInstall: boolean;
  readonly isSuperuser: boolean;
}

/** Roles of hosted services that may create event triggers without being superuser. */
const ROLES_THAT_MAY = ['rds_superuser', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'supabase_admin'];

/** PostgreSQL 10–18. */
export async function ddlCaptureState(client: Client, options: DdlCaptureOptions): Promise<DdlCaptureState> {
  const { helperName, publicationName } = options;
  const triggerNames = eventTriggers(helperName).map(({ name }) => name);
  const [row] = await readRows<{
    isSuperuser: boolean;
    mayInstall: boolean;
    hasSchema: boolean;
    hasFunction: boolean;
    isCurrent: boolean;
    needsTable: boolean;
    hasTable: boolean;
    isSwitchedOff: boolean;
    triggers: string[];
    brokenTriggers: string[];
  }>(
    client,
    sql`SELECT r.rolsuper AS "isSuperuser",
      r.rolsuper OR EXISTS (SELECT FROM pg_catalog.pg_roles g WHERE g.rolname = ANY ($3) AND pg_catalog.pg_has_role(g.oid, 'USAGE')) AS "mayInstall",
      EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1) AS "hasSchema",
      EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND p.proname = 'capture') AS "hasFunction",
      EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND p.proname = 'capture' AND p.prosrc = $7) AS "isCurrent",
      pg_catalog.current_setting('server_version_num')::int < $4 AS "needsTable",
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
    ],
  );
  const found = present(row, 'role of the session');
  const missing = [
    ...(found.hasSchema ? [] : [`schema ${helperName}`]),
    ...(found.hasFunction ? [] : [`function ${helperName}.capture()`]),
    ...(found.needsTable && !found.hasTable
      ? [`table ${helperName}.${EVENT_TABLE} in publication ${publicationName}`]
      : []),
    ...triggerNames.filter((name) => !found.triggers.includes(name)).map((name) => `event trigger ${name}`),
    ...found.brokenTriggers.map((name) => `event trigger ${name} is not enabled always`),
    ...(found.isSwitchedOff ? ['the setting event_triggers is off'] : []),
  ];
  return {
    isInstalled: found.hasSchema || found.triggers.length > 0,
    isComplete: missing.length === 0,
    isCurrent: found.isCurrent,
    missing,
    mayInstall: found.mayInstall,
    isSuperuser: found.isSuperuser,
  };
}
