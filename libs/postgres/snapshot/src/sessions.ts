import { type Client, connect, type Endpoint, VALUE_SETTINGS } from '@sluice/postgres-client';

/** A peer that vanished without a word must not keep its locks for the two hours that are the default. */
const KEEPALIVE_SETTINGS = { tcp_keepalives_idle: '15', tcp_keepalives_interval: '5', tcp_keepalives_count: '3' };

export interface SessionOptions {
  readonly applicationName: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** A session on the source whose values come out as the target understands them, and whole: row security would hide rows silently. */
export async function connectSource(
  endpoint: Endpoint,
  { applicationName, settings }: SessionOptions,
): Promise<Client> {
  const client = await connect(endpoint, {
    applicationName,
    settings: { ...VALUE_SETTINGS, ...KEEPALIVE_SETTINGS, row_security: 'off', ...settings },
  });
  await disableTimeouts(client);
  return client;
}

/**
 * A session on the target. It needs no session_replication_role: triggers and foreign keys are built after the rows are
 * there, and setting it would ask for more rights than a load needs.
 */
export async function connectTarget(
  endpoint: Endpoint,
  { applicationName, settings }: SessionOptions,
): Promise<Client> {
  const client = await connect(endpoint, {
    applicationName,
    settings: { ...VALUE_SETTINGS, ...KEEPALIVE_SETTINGS, ...settings },
  });
  await disableTimeouts(client);
  return client;
}

/**
 * Time limits that administrators set for interactive sessions would end a load. Those that a server does not know
 * cannot be named when the session starts, so they are set here; newest: transaction_timeout of 17.
 */
export async function disableTimeouts(client: Client): Promise<void> {
  await client.query(
    `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
     WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
       AND setting <> '0'`,
  );
}
