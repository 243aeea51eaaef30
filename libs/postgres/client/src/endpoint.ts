import { type EndpointInput } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';

export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface TlsSettings {
  readonly mode: TlsMode;
  /** CA certificates, PEM. */
  readonly ca?: string;
  /** Client certificate and its key, PEM. */
  readonly cert?: string;
  readonly key?: Secret;
}

/** A database of a PostgreSQL server and how to log in to it. A host that begins with `/` is the folder of a Unix socket. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
  readonly tls: TlsSettings;
}

/** `host:port/database`, for people; holds no secret. */
export function describeEndpoint(endpoint: Endpoint): string {
  return `${endpoint.host}:${endpoint.port}/${endpoint.database}`;
}

/** The endpoint that a person typed in or the credential vault gave out. */
export function toEndpoint({ password, tls, ...address }: EndpointInput): Endpoint {
  return {
    ...address,
    password: new Secret(password),
    tls: {
      mode: tls.mode,
      ...(tls.ca !== undefined && { ca: tls.ca }),
      ...(tls.cert !== undefined && { cert: tls.cert }),
      ...(tls.key !== undefined && { key: new Secret(tls.key) }),
    },
  };
}
