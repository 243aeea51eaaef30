import { SluiceError } from '@sluice/contracts';
import { type Secret } from '@sluice/kernel';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions } from 'node:tls';
import { type DataSourceOptions } from 'typeorm';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** The schema that holds our tables, so that the database can be shared with something else. */
export const METADATA_SCHEMA = 'sluice_control';

const POOL_SIZE_MAX = 10;
const CONNECT_TIMEOUT_MS = 5_000;
/** Our statements touch a few rows by key; whatever takes longer waits for a lock that somebody forgot. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** @throws SluiceError 6001 without repeating the URL, as it holds a password. */
export function connectionOptions(url: Secret): Partial<PostgresOptions> & Pick<PostgresOptions, 'type'> {
  let parsed: URL;
  try {
    parsed = new URL(url.reveal());
  } catch (error) {
    throw invalidUrl('it is not a URL', error);
  }
  if (!/^postgres(ql)?:$/.test(parsed.protocol)) throw invalidUrl('the scheme must be postgres://');
  const host = parsed.searchParams.get('host') ?? decodeURIComponent(parsed.hostname).replace(/^\[|\]$/g, '');
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (!host || !database) throw invalidUrl('host or database is missing');
  return {
    type: 'postgres',
    host,
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    username: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database,
    applicationName: 'sluice metadata',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    poolSize: POOL_SIZE_MAX,
    extra: {
      ssl: tlsOptions(parsed.searchParams),
      options: `-c search_path=${METADATA_SCHEMA} -c statement_timeout=${STATEMENT_TIMEOUT_MS} -c timezone=UTC`,
      keepAlive: true,
    },
  };
}

function tlsOptions(parameters: URLSearchParams): false | ConnectionOptions {
  const mode = parameters.get('sslmode') ?? 'disable';
  const ca = parameters.get('sslrootcert');
  switch (mode) {
    case 'disable':
    case 'allow':
    case 'prefer':
      return false;
    case 'require':
      return { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...(ca !== null && { ca: readFileSync(ca, 'utf8') }), checkServerIdentity: () => undefined };
    case 'verify-full':
      return ca === null ? {} : { ca: readFileSync(ca, 'utf8') };
    default:
      throw invalidUrl('sslmode must be disable, require, verify-ca or verify-full');
  }
}

function invalidUrl(why: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-6001', {
    detail: `URL of the metadata database: ${why}`,
    remedy: 'Write postgres://user:password@host:port/database',
    cause,
  });
}
