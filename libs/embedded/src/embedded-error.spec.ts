import { describe, expect, it } from '@jest/globals';
import { classifyStartFailure } from './embedded-error.js';

describe('classifyStartFailure', () => {
  // Lines as PostgreSQL 17, the loader of Debian 12 and nats-server 2.9 wrote them.
  it.each([
    ['LOG:  could not bind IPv4 address "127.0.0.1": Address already in use', 'port-taken'],
    [
      '[FTL] Error listening on port: 127.0.0.1:4222, "listen tcp 127.0.0.1:4222: bind: address already in use"',
      'port-taken',
    ],
    ['FATAL:  could not write to file "pg_wal/xlogtemp.77": No space left on device', 'disk-full'],
    [
      'postgres: error while loading shared libraries: libicui18n.so.60: cannot open shared object file',
      'install-failed',
    ],
    ['FATAL:  unrecognized configuration parameter "no_such"', 'start-failed'],
    ['', 'start-failed'],
  ])('of "%s"', (log, failure) => {
    expect(classifyStartFailure('PostgreSQL 17', log)).toMatchObject({ failure });
  });

  it('shows the end of the log, the cause and what to do', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
    const { message } = classifyStartFailure('PostgreSQL 17 on port 5432', `${lines}\naddress already in use`);
    expect(message).toContain('PostgreSQL 17 on port 5432: the port is taken');
    expect(message).toContain('line 99');
    expect(message).not.toContain('line 50');
    expect(message).toContain('What to do: Stop the process');
  });
});
