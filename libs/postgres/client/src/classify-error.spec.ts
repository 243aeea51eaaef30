import { describe, expect, it } from '@jest/globals';
import { SluiceError } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { classifyConnectError, isConnectionLoss } from './classify-error.js';
import { type Endpoint } from './endpoint.js';

const ENDPOINT: Endpoint = {
  host: 'db.example',
  port: 5432,
  database: 'shop',
  user: 'app',
  password: new Secret('p4ss'),
  tls: { mode: 'disable' },
};

function serverError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

/** Messages as servers and node-postgres 8.23 wrote them. */
const SAMPLES: readonly { code: string; message: string; errorCode?: string }[] = [
  { code: 'SLUICE-1001', message: 'getaddrinfo ENOTFOUND db.example', errorCode: 'ENOTFOUND' },
  { code: 'SLUICE-1001', message: 'getaddrinfo EAI_AGAIN db.example', errorCode: 'EAI_AGAIN' },
  { code: 'SLUICE-1002', message: 'connect ETIMEDOUT 10.0.0.1:5432', errorCode: 'ETIMEDOUT' },
  { code: 'SLUICE-1002', message: 'connect EHOSTUNREACH 10.0.0.1:5432', errorCode: 'EHOSTUNREACH' },
  { code: 'SLUICE-1002', message: 'timeout expired' },
  { code: 'SLUICE-1003', message: 'connect ECONNREFUSED 127.0.0.1:5432', errorCode: 'ECONNREFUSED' },
  { code: 'SLUICE-1003', message: 'connect ENOENT /none/.s.PGSQL.5432', errorCode: 'ENOENT' },
  {
    code: 'SLUICE-1004',
    message: 'pg_hba.conf rejects connection for host "10.0.0.7", user "app", database "shop", no encryption',
    errorCode: '28000',
  },
  { code: 'SLUICE-1005', message: 'password authentication failed for user "app"', errorCode: '28P01' },
  { code: 'SLUICE-1005', message: 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string' },
  { code: 'SLUICE-1005', message: 'role "app" does not exist', errorCode: '28000' },
  { code: 'SLUICE-1006', message: 'role "app" is not permitted to log in', errorCode: '28000' },
  { code: 'SLUICE-1006', message: 'permission denied for database "shop"', errorCode: '42501' },
  { code: 'SLUICE-1006', message: 'database "shop" is not currently accepting connections', errorCode: '55000' },
  { code: 'SLUICE-1007', message: 'database "shop" does not exist', errorCode: '3D000' },
  { code: 'SLUICE-1008', message: 'The server does not support SSL connections' },
  { code: 'SLUICE-1009', message: 'self-signed certificate', errorCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  { code: 'SLUICE-1009', message: 'certificate has expired', errorCode: 'CERT_HAS_EXPIRED' },
  { code: 'SLUICE-1010', message: 'sorry, too many clients already', errorCode: '53300' },
  { code: 'SLUICE-1011', message: 'the database system is starting up', errorCode: '57P03' },
  { code: 'SLUICE-1012', message: 'terminating connection due to administrator command', errorCode: '57P01' },
  { code: 'SLUICE-1012', message: 'Connection terminated unexpectedly' },
  { code: 'SLUICE-1012', message: 'read ECONNRESET', errorCode: 'ECONNRESET' },
  {
    code: 'SLUICE-1013',
    message: 'must be superuser or replication role to start walsender',
    errorCode: '42501',
  },
  { code: 'SLUICE-1013', message: 'permission denied to start WAL sender', errorCode: '42501' },
];

describe('classifyConnectError', () => {
  it.each(SAMPLES)('says $code for: $message', ({ code, message, errorCode }) => {
    const original = errorCode === undefined ? new Error(message) : serverError(message, errorCode);
    const classified = classifyConnectError(original, ENDPOINT);
    expect(classified).toMatchObject({ code, cause: original });
    expect(classified.detail).toBe(`db.example:5432/shop as app: ${message}`);
  });

  it.each([
    { host: '10.0.0.7', encryption: 'no encryption', line: 'host shop app 10.0.0.7/32 scram-sha-256' },
    { host: 'fe80::1', encryption: 'SSL off', line: 'host shop app fe80::1/128 scram-sha-256' },
    { host: '[local]', encryption: 'no encryption', line: 'local shop app scram-sha-256' },
  ])('shows the line of pg_hba.conf for $host', ({ host, encryption, line }) => {
    const message = `no pg_hba.conf entry for host "${host}", user "app", database "shop", ${encryption}`;
    const { code, remedy } = classifyConnectError(serverError(message, '28000'), ENDPOINT);
    expect(code).toBe('SLUICE-1004');
    expect(remedy).toContain(`Add to pg_hba.conf: ${line} — then SELECT pg_reload_conf().`);
    expect(remedy).toContain('use TLS');
  });

  it('shows the line of a replication connection over TLS, with quoted names', () => {
    const endpoint: Endpoint = { ...ENDPOINT, user: 'Odd user', tls: { mode: 'require' } };
    const message = 'no pg_hba.conf entry for replication connection from host "10.0.0.7", user "Odd user", SSL on';
    const { remedy } = classifyConnectError(serverError(message, '28000'), endpoint);
    expect(remedy).toBe(
      'Add to pg_hba.conf: hostssl replication "Odd user" 10.0.0.7/32 scram-sha-256 — then SELECT pg_reload_conf().',
    );
  });

  it('looks inside the errors of several addresses', () => {
    const refused = serverError('connect ECONNREFUSED ::1:5432', 'ECONNREFUSED');
    const classified = classifyConnectError(new AggregateError([refused, refused]), ENDPOINT);
    expect(classified.code).toBe('SLUICE-1003');
    expect(classified.detail).toContain('ECONNREFUSED ::1:5432; connect');
  });

  it('leaves a classified error as it is and shows no password', () => {
    const error = new SluiceError('SLUICE-1007', { detail: 'x' });
    expect(classifyConnectError(error, ENDPOINT)).toBe(error);
    const shown = classifyConnectError(new Error('whatever'), ENDPOINT);
    expect(`${shown.message} ${JSON.stringify(shown)}`).not.toContain('p4ss');
  });
});

describe('isConnectionLoss', () => {
  it.each([
    [serverError('gone', '57P01'), true],
    [serverError('connection failure', '08006'), true],
    [serverError('read ECONNRESET', 'ECONNRESET'), true],
    [serverError('write EPIPE', 'EPIPE'), true],
    [new Error('Connection terminated unexpectedly'), true],
    [new Error('Client has encountered a connection error and is not queryable'), true],
    [serverError('duplicate key', '23505'), false],
    [serverError('canceling statement due to user request', '57014'), false],
    [new Error('something else'), false],
    ['text', false],
  ])('of %p is %p', (error, expected) => {
    expect(isConnectionLoss(error)).toBe(expected);
  });
});
