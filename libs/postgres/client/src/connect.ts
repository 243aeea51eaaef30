import { readFileSync } from 'node:fs';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { classifyConnectError } from './classify-error.js';
import { type Endpoint } from './endpoint.js';
import { connectInOwnBytes } from './server-encoding.js';
import { watchSilence } from './silence-watch.js';

/** A session with the server. `await using` closes it. */
export type Client = pg.Client & AsyncDisposable;

export interface ConnectOptions {
  /** Shown in pg_stat_activity; `sluice` is put before it. */
  readonly applicationName: string;
  /** Settings of the session, sent at its start. */
  readonly settings?: Readonly<Record<string, string>>;
  /** `database` opens a logical replication connection. */
  readonly replication?: 'database';
  /** Sends queries without waiting for the answers of those before; answers come in order. */
  readonly pipeline?: boolean;
  /** Milliseconds until an unanswered attempt is given up; default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds until an unanswered query is given up. For queries that are short by nature; default: none. */
  readonly queryTimeoutMs?: number;
  /** Milliseconds without a sign after which the server is asked whether an answer can still come; default: never. */
  readonly silenceMs?: number;
}

/**
 * How every session that reads or writes values is set, on both sides, so that the text form of a value on the
 * source is understood as the same value on the target. Native replication sets the same in libpqwalreceiver.
 */
export const VALUE_SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'ISO,YMD',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  TimeZone: 'UTC',
  client_encoding: 'UTF8',
  lc_monetary: 'C',
  xmloption: 'content',
  search_path: '',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  // Several sessions of ours write the same rows of bookkeeping one after the other, which a database of this default refuses.
  default_transaction_isolation: 'read committed',
};

const CONNECT_TIMEOUT_MS = 10_000;
/** A farewell that is not answered by then goes nowhere. */
const END_DEADLINE_MS = 5_000;
/** What a server that works answers in. */
const PROBE_TIMEOUT_MS = 3_000;
/** A half-open connection is noticed within about this time plus the kernel's probes. */
const KEEPALIVE_DELAY_MS = 10_000;

/** Opens a session. @throws SluiceError 1xxx with the step that failed, its cause and its fix. */
export async function connect(endpoint: Endpoint, options: ConnectOptions): Promise<Client> {
  const client = new pg.Client({ ...clientConfig(endpoint, options) });
  // Without a listener an error on an idle connection would end the process; the next query reports it.
  client.on('error', () => undefined);
  try {
    await connectInOwnBytes(client);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw classifyConnectError(error, endpoint);
  }
  const { silenceMs } = options;
  if (silenceMs !== undefined) await watchSilence(client, { silenceMs, openProbe: () => openProbe(endpoint) });
  return Object.assign(client, { [Symbol.asyncDispose]: () => end(client) });
}

function openProbe(endpoint: Endpoint): Promise<Client> {
  return connect(endpoint, {
    applicationName: 'sign of life',
    connectTimeoutMs: PROBE_TIMEOUT_MS,
    queryTimeoutMs: PROBE_TIMEOUT_MS,
  });
}

async function end(client: pg.Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), END_DEADLINE_MS);
  try {
    await client.end();
  } finally {
    clearTimeout(timer);
  }
}

/** What `pg` needs to open such a session. */
export function clientConfig(
  endpoint: Endpoint,
  options: ConnectOptions,
): pg.ClientConfig & { replication?: string; pipeline?: boolean } {
  return {
    host: endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: endpoint.user,
    password: endpoint.password.reveal(),
    ssl: tlsOptions(endpoint),
    application_name: `sluice ${options.applicationName}`.slice(0, 63),
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
    ...(options.settings && { options: startupOptions(options.settings) }),
    ...(options.queryTimeoutMs !== undefined && { query_timeout: options.queryTimeoutMs }),
    ...(options.pipeline && { pipeline: true }),
    ...(options.replication && { replication: options.replication }),
  };
}

/** `-c name=value …` for the start-up packet; blanks and backslashes are escaped as libpq documents for `options`. */
export function startupOptions(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll('\\', '\\\\').replaceAll(' ', '\\ ')}`)
    .join(' ');
}

function tlsOptions({ host, tls }: Endpoint): false | ConnectionOptions {
  if (tls.mode === 'disable') return false;
  const verifies = tls.mode !== 'require';
  return {
    rejectUnauthorized: verifies,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.cert !== undefined && { cert: tls.cert }),
    ...(tls.key !== undefined && { key: tls.key.reveal() }),
    ...(!host.startsWith('/') && !/^[\d.]+$|:/.test(host) && { servername: host }),
    // Left to itself Node checks the certificate of a server that is named by its IP address against 'localhost'.
    ...(tls.mode === 'verify-full' && {
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    }),
    // verify-ca checks the chain and leaves the name alone, as libpq defines it.
    ...(tls.mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}

/** Reads a PEM file that a connection URL names (`sslrootcert=/path`). */
export function readPem(path: string): string {
  return readFileSync(path, 'utf8');
}
