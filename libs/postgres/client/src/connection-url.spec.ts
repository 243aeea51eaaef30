import { describe, expect, it } from '@jest/globals';
import { parseConnectionUrl } from './connection-url.js';
import { describeEndpoint } from './endpoint.js';

describe('parseConnectionUrl', () => {
  it('reads all parts', () => {
    const endpoint = parseConnectionUrl('postgres://app:p%40ss@db.example:6432/my%20shop?sslmode=verify-full');
    expect(endpoint).toMatchObject({
      host: 'db.example',
      port: 6432,
      database: 'my shop',
      user: 'app',
      tls: { mode: 'verify-full' },
    });
    expect(endpoint.password.reveal()).toBe('p@ss');
    expect(describeEndpoint(endpoint)).toBe('db.example:6432/my shop');
  });

  it.each([
    ['postgresql://u:p@h/d', { host: 'h', port: 5432, tls: { mode: 'disable' } }],
    ['postgres://u@[::1]:1/d', { host: '::1', port: 1 }],
    ['postgres://u:p@localhost/d?host=/run/postgresql', { host: '/run/postgresql' }],
    ['postgres://u:p@h/d?sslmode=prefer', { tls: { mode: 'disable' } }],
    ['postgres://u:p@h/d?sslmode=require', { tls: { mode: 'require' } }],
  ])('understands %s', (url, expected) => {
    expect(parseConnectionUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['mysql://u:s3cret@h/d', 'scheme'],
    ['postgres://h/d', 'user'],
    ['postgres://u:s3cret@h', 'database'],
    ['postgres://u:s3cret@h/d?sslmode=maybe', 'sslmode'],
    ['u:s3cret@h/d', 'scheme'],
    ['s3cret', 'is not a URL'],
  ])('refuses %s, says what is wrong and does not repeat the password', (url, named) => {
    const parse = (): unknown => parseConnectionUrl(url, 'source URL');
    expect(parse).toThrow(expect.objectContaining({ code: 'SLUICE-6001', detail: expect.stringContaining(named) }));
    expect(parse).not.toThrow('s3cret');
  });
});
