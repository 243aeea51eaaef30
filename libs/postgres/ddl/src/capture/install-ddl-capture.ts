import { SluiceError } from '@sluice/contracts';
import { readVersionNum } from '@sluice/postgres-catalog';
import {
  type Client,
  hasSqlState,
  inTransaction,
  quoteIdentifier,
  quoteLiteral,
  SQLSTATE,
} from '@sluice/postgres-client';
import { EVENT_TABLE } from '../decode-ddl-event.js';
import { ddlCaptureState } from './ddl-capture-state.js';
import { makeSecret, SECRET_SEQUENCES } from './event-secret.js';
import { CAPTURE_SETTING, MESSAGES_SINCE, triggerFunction, type TriggerFunctionOptions } from './trigger-function.js';
import { type DdlCaptureOptions, eventTriggers } from './event-triggers.js';

/** Nobody else changes these objects, so a wait means an operator does; better to say so than to hold the start of a task up. */
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Makes DDL of this database part of its change stream, from the commit of this call on. Does nothing where it is complete.
 * PostgreSQL 10–18.
 * @throws SluiceError 4008 without the rights; its remedy is the SQL for somebody who has them.
 */
export async function installDdlCapture(client: Client, options: DdlCaptureOptions): Promise<void> {
  const state = await ddlCaptureState(client, options);
  // An older function that signs sends events that are understood; nobody is asked to replace it.
  if (state.isComplete && (state.isCurrent || !state.mayInstall)) return;
  const { account } = state;
  const versionNum = await readVersionNum(client);
  try {
    await inTransaction(client, 'BEGIN', async () => {
      await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      for (const statement of installation({ ...options, versionNum, isSuperuser: state.isSuperuser, account: null }))
        await client.query(statement);
    });
  } catch (error) {
    throw refused(error, 'installed', ddlCaptureScript(options, { versionNum, account }));
  }
}

/** Takes away all that was installed; does nothing where there is nothing. @throws SluiceError 4008 without the rights. */
export async function removeDdlCapture(client: Client, helperName: string): Promise<void> {
  const statements = removal(helperName);
  try {
    await inTransaction(client, 'BEGIN', async () => {
      await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      for (const statement of statements) await client.query(statement);
    });
  } catch (error) {
    throw refused(error, 'removed', script(statements));
  }
}

/** The SQL that a superuser can run instead of us. @param account of the task */
export function ddlCaptureScript(
  options: DdlCaptureOptions,
  { versionNum, account }: { readonly versionNum: number; readonly account: string },
): string {
  return script(installation({ ...options, versionNum, isSuperuser: true, account }));
}

interface Installation extends DdlCaptureOptions, TriggerFunctionOptions {
  /** Of the task; `null` when it is what installs. */
  readonly account: string | null;
}

/** All of it belongs to whoever runs this, and nobody else but the account of the task has any right on it. */
function installation(options: Installation): string[] {
  const { helperName, publicationName, versionNum, account } = options;
  const helper = quoteIdentifier(helperName);
  const hasMessages = versionNum >= MESSAGES_SINCE;
  const relations = hasMessages ? SECRET_SEQUENCES : [EVENT_TABLE];
  return [
    `SET LOCAL ${CAPTURE_SETTING} = 'off'`,
    refuseForeign(helperName, account),
    `CREATE SCHEMA IF NOT EXISTS ${helper}`,
    ...(hasMessages ? [makeSecret(helperName)] : eventTable(helperName, publicationName)),
    triggerFunction(options),
    `ALTER SCHEMA ${helper} OWNER TO CURRENT_USER`,
    `ALTER FUNCTION ${helper}.capture() OWNER TO CURRENT_USER`,
    ...relations.map((name) => `ALTER TABLE ${helper}.${name} OWNER TO CURRENT_USER`),
    shutOut(helperName),
    ...(account === null ? [] : [`GRANT USAGE ON SCHEMA ${helper} TO ${quoteIdentifier(account)}`]),
    ...(account !== null && hasMessages
      ? [`GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${helper} TO ${quoteIdentifier(account)}`]
      : []),
    ...eventTriggers(helperName).flatMap(({ name: plainName, event }) => {
      const name = quoteIdentifier(plainName);
      return [
        `DROP EVENT TRIGGER IF EXISTS ${name}`,
        // PROCEDURE is understood by all majors.
        `CREATE EVENT TRIGGER ${name} ON ${event} EXECUTE PROCEDURE ${helper}.capture()`,
        // Also what runs as a replica changes the database that is copied.
        `ALTER EVENT TRIGGER ${name} ENABLE ALWAYS`,
      ];
    }),
  ];
}

/** Somebody who may create schemas could have put one there first, with a secret that he knows. */
function refuseForeign(helperName: string, account: string | null): string {
  return `DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
      WHERE n.nspname = ${quoteLiteral(helperName)} AND NOT r.rolsuper AND r.rolname NOT IN (current_user, ${quoteLiteral(account ?? '')})) THEN
    RAISE insufficient_privilege USING MESSAGE = ${quoteLiteral(`schema ${helperName} belongs to somebody else: look at it, and drop it`)};
  END IF;
END $$`;
}

/** Default privileges may have given rights to others. */
function shutOut(helperName: string): string {
  const helper = quoteLiteral(helperName);
  return `DO $$ DECLARE granted record; BEGIN
  FOR granted IN
    SELECT 'SCHEMA ' || pg_catalog.quote_ident(n.nspname) AS object, x.grantee
    FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) x WHERE n.nspname = ${helper} AND x.grantee <> n.nspowner
    UNION SELECT 'TABLE ' || pg_catalog.format('%I.%I', n.nspname, c.relname), x.grantee
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid, pg_catalog.aclexplode(c.relacl) x
    WHERE n.nspname = ${helper} AND c.relkind IN ('r', 'S') AND x.grantee <> c.relowner
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s', granted.object,
      CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(granted.grantee)) END);
  END LOOP;
END $$`;
}

function eventTable(helperName: string, publicationName: string): string[] {
  const table = `${quoteIdentifier(helperName)}.${EVENT_TABLE}`;
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (id text PRIMARY KEY, event text NOT NULL)`,
    `DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables p WHERE p.pubname = ${quoteLiteral(publicationName)}
        AND p.schemaname = ${quoteLiteral(helperName)} AND p.tablename = '${EVENT_TABLE}') THEN
        ALTER PUBLICATION ${quoteIdentifier(publicationName)} ADD TABLE ${table};
      END IF;
    END $$`,
  ];
}

function removal(helperName: string): string[] {
  return [
    `SET LOCAL ${CAPTURE_SETTING} = 'off'`,
    ...eventTriggers(helperName).map(({ name }) => `DROP EVENT TRIGGER IF EXISTS ${quoteIdentifier(name)}`),
    `DROP SCHEMA IF EXISTS ${quoteIdentifier(helperName)} CASCADE`,
  ];
}

function script(statements: readonly string[]): string {
  return ['BEGIN', ...statements, 'COMMIT'].map((statement) => `${statement};\n`).join('');
}

function refused(error: unknown, what: 'installed' | 'removed', remedySql: string): unknown {
  if (!hasSqlState(error, SQLSTATE.insufficientPrivilege, SQLSTATE.lockNotAvailable, SQLSTATE.undefinedObject))
    return error;
  return new SluiceError('SLUICE-4008', {
    detail: `the event trigger could not be ${what} with this account: ${error instanceof Error ? error.message : 'refused'}`,
    remedy: `Let a superuser run this on the source, or switch the synchronization of DDL off:\n${remedySql}`,
    cause: error,
  });
}
