import { SluiceError, type ErrorCode } from '@sluice/contracts';
import { describeEndpoint, type Endpoint } from './endpoint.js';
import { quoteIdentifier } from './identifiers.js';
import { SQLSTATE, sqlStateOf } from './sqlstate.js';

const CODE_BY_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'SLUICE-1001',
  EAI_AGAIN: 'SLUICE-1001',
  ENOENT: 'SLUICE-1003',
  ECONNREFUSED: 'SLUICE-1003',
  ETIMEDOUT: 'SLUICE-1002',
  EHOSTUNREACH: 'SLUICE-1002',
  ENETUNREACH: 'SLUICE-1002',
  ECONNRESET: 'SLUICE-1012',
  EPIPE: 'SLUICE-1012',
};

const CODE_BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  [SQLSTATE.invalidPassword]: 'SLUICE-1005',
  [SQLSTATE.invalidCatalogName]: 'SLUICE-1007',
  [SQLSTATE.tooManyConnections]: 'SLUICE-1010',
  [SQLSTATE.cannotConnectNow]: 'SLUICE-1011',
  [SQLSTATE.adminShutdown]: 'SLUICE-1012',
  [SQLSTATE.crashShutdown]: 'SLUICE-1012',
  [SQLSTATE.idleSessionTimeout]: 'SLUICE-1012',
  [SQLSTATE.connectionException]: 'SLUICE-1012',
  [SQLSTATE.connectionFailure]: 'SLUICE-1012',
};

/**
 * `no pg_hba.conf entry for host "10.0.0.7", user "app", database "shop", no encryption` (PostgreSQL 14–18; 10–13 say "SSL off"),
 * `no pg_hba.conf entry for replication connection from host …`, `pg_hba.conf rejects [replication ]connection for host …`.
 */
const HBA_MESSAGE =
  /pg_hba\.conf (?:entry for|rejects) (?:(replication) )?(?:connection (?:from|for) )?host "([^"]+)", user "[^"]*"/;

/** What went wrong when a connection was opened, as a catalogued error. */
export function classifyConnectError(error: unknown, endpoint: Endpoint): SluiceError {
  if (error instanceof SluiceError) return error;
  const at = `${describeEndpoint(endpoint)} as ${endpoint.user}`;
  const message = error instanceof Error ? error.message || nestedMessage(error) : String(error);
  const make = (code: ErrorCode, remedy?: string): SluiceError =>
    new SluiceError(code, { detail: `${at}: ${message}`, cause: error, ...(remedy !== undefined && { remedy }) });

  const byMessage = classifyByMessage(message, endpoint, make);
  if (byMessage) return byMessage;
  const state = sqlStateOf(error);
  const bySqlState = state === null ? undefined : CODE_BY_SQLSTATE[state];
  if (bySqlState) return make(bySqlState);
  const byErrno = CODE_BY_ERRNO[errnoOf(error) ?? ''];
  if (byErrno) return make(byErrno);
  if (isTlsError(error)) return make('SLUICE-1009');
  if (state === SQLSTATE.invalidAuthorization) return make('SLUICE-1005');
  return make(state?.startsWith('08') ? 'SLUICE-1012' : 'SLUICE-1002');
}

function classifyByMessage(
  message: string,
  endpoint: Endpoint,
  make: (code: ErrorCode, remedy?: string) => SluiceError,
): SluiceError | null {
  const hba = HBA_MESSAGE.exec(message);
  if (hba) {
    const line = hbaLine(endpoint, { isReplication: hba[1] !== undefined, address: hba[2] ?? '' });
    const tlsHint = endpoint.tls.mode === 'disable' ? ' Or the server takes encrypted connections only: use TLS.' : '';
    return make('SLUICE-1004', `Add to pg_hba.conf: ${line} — then SELECT pg_reload_conf().${tlsHint}`);
  }
  // `permission denied for database "x"` (PostgreSQL 10–18, SQLSTATE 42501)
  if (/permission denied for database/.test(message)) {
    const { database, user } = endpoint;
    return make('SLUICE-1006', `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(user)};`);
  }
  // `database "x" is not currently accepting connections` (PostgreSQL 10–18, SQLSTATE 55000)
  if (/is not currently accepting connections/.test(message)) {
    return make('SLUICE-1006', `ALTER DATABASE ${quoteIdentifier(endpoint.database)} ALLOW_CONNECTIONS true;`);
  }
  // node-postgres 8: the server asks for a password and none was given
  if (/client password must be/.test(message)) return make('SLUICE-1005');
  // `role "x" is not permitted to log in` (PostgreSQL 10–18, SQLSTATE 28000)
  if (/is not permitted to log in/.test(message)) return make('SLUICE-1006');
  // `must be superuser or replication role to start walsender` (10–15), `permission denied to start WAL sender` (16–18)
  if (/to start (walsender|WAL sender)/.test(message)) return make('SLUICE-1013');
  // node-postgres 8: the server answered 'N' to the SSL request
  if (/server does not support SSL/i.test(message)) return make('SLUICE-1008');
  // node-postgres 8, connectionTimeoutMillis
  if (/timeout expired|connect(ion)? timeout|terminated due to connection timeout/i.test(message))
    return make('SLUICE-1002');
  if (/connection terminated unexpectedly/i.test(message)) return make('SLUICE-1012');
  return null;
}

/** The line of pg_hba.conf that lets this connection in. */
function hbaLine(endpoint: Endpoint, seen: { isReplication: boolean; address: string }): string {
  const database = seen.isReplication ? 'replication' : hbaName(endpoint.database);
  const who = `${database} ${hbaName(endpoint.user)}`;
  // What the server says of a connection over its Unix socket.
  if (seen.address === '[local]') return `local ${who} scram-sha-256`;
  const kind = endpoint.tls.mode === 'disable' ? 'host' : 'hostssl';
  return `${kind} ${who} ${seen.address}/${seen.address.includes(':') ? 128 : 32} scram-sha-256`;
}

/** Quoted where it would be read as a keyword or in parts. */
function hbaName(name: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && !['all', 'sameuser', 'samerole', 'replication'].includes(name);
  return isPlain ? name : quoteIdentifier(name);
}

/** True when the error says that the connection or the server is gone, so that trying again can help. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) return state.startsWith('08') || state.startsWith('57P');
  if (errnoOf(error) !== null && (errnoOf(error) ?? '') in CODE_BY_ERRNO) return true;
  return (
    error instanceof Error &&
    // The last one is node-postgres's for a query that was not answered within `query_timeout`.
    /connection terminated|connection error|not queryable|client was closed|query read timeout/i.test(error.message)
  );
}

function errnoOf(error: unknown): string | null {
  if (error instanceof AggregateError) return errnoOf(error.errors[0]);
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

function nestedMessage(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((inner: unknown) => (inner instanceof Error ? inner.message : String(inner))).join('; ')
    : error.name;
}

function isTlsError(error: unknown): boolean {
  const code = errnoOf(error) ?? '';
  return code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code);
}
