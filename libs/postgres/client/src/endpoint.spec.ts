import { describe, expect, it } from '@jest/globals';
import { toEndpoint } from './endpoint.js';

const INPUT = { host: 'h', port: 5432, database: 'd', user: 'u', password: 's3cret' } as const;

describe('toEndpoint', () => {
  it('wraps what must not be printed', () => {
    const endpoint = toEndpoint({ ...INPUT, tls: { mode: 'verify-full', ca: 'CA', cert: 'CERT', key: 'k3y' } });
    expect(endpoint.password.reveal()).toBe('s3cret');
    expect(endpoint.tls.key?.reveal()).toBe('k3y');
    expect(endpoint).toMatchObject({
      host: 'h',
      port: 5432,
      database: 'd',
      user: 'u',
      tls: { ca: 'CA', cert: 'CERT' },
    });
    expect(JSON.stringify(endpoint)).not.toMatch(/s3cret|k3y/);
  });

  it('leaves out what TLS does not need', () => {
    expect(toEndpoint({ ...INPUT, tls: { mode: 'disable' } }).tls).toEqual({ mode: 'disable' });
  });
});
