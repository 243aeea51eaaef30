import { SluiceError } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { type Endpoint, type TlsMode } from './endpoint.js';
import { readPem } from './connect.js';

const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  disable: 'disable',
  allow: 'disable',
  prefer: 'disable',
  require: 'require',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
};

/**
 * An endpoint from `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…&host=/socket/folder`.
 * @throws SluiceError 6001 that names what is missing; the URL itself is not repeated as it holds a password.
 */
export function parseConnectionUrl(text: string, what = 'connection URL'): Endpoint {
  const invalid = (why: string): SluiceError =>
    new SluiceError('SLUICE-6001', {
      detail: `${what}: ${why}`,
      remedy: 'Write postgres://user:password@host:port/database',
    });
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new SluiceError('SLUICE-6001', {
      detail: `${what} is not a URL`,
      remedy: 'Write postgres://user:password@host:port/database',
      cause: error,
    });
  }
  if (!/^postgres(ql)?:$/.test(url.protocol)) throw invalid('the scheme must be postgres://');
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '');
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (!host) throw invalid('the host is missing');
  if (!user) throw invalid('the user is missing');
  if (!database) throw invalid('the database is missing');
  const mode = TLS_MODES[url.searchParams.get('sslmode') ?? 'disable'];
  if (!mode) throw invalid(`sslmode must be one of ${Object.keys(TLS_MODES).join(', ')}`);
  const pem = (name: string): string | undefined => {
    const path = url.searchParams.get(name);
    return path === null ? undefined : readPem(path);
  };
  const [ca, cert, key] = [pem('sslrootcert'), pem('sslcert'), pem('sslkey')];
  return {
    host,
    port: url.port === '' ? 5432 : Number(url.port),
    database,
    user,
    password: new Secret(decodeURIComponent(url.password)),
    tls: {
      mode,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key: new Secret(key) }),
    },
  };
}
