import { describe, expect, it } from '@jest/globals';
import { classifyReplicationError, ServerError } from './classify-replication-error.js';

describe('classifyReplicationError', () => {
  it.each([
    ['42704', 'replication slot "s" does not exist', 'SLUICE-4001'],
    ['55006', 'replication slot "s" is active for PID 42', 'SLUICE-4002'],
    ['55000', 'cannot read from logical replication slot "s"', 'SLUICE-4003'],
    ['55000', 'can no longer get changes from replication slot "s"', 'SLUICE-4003'],
    ['55000', 'can no longer access replication slot "s"', 'SLUICE-4003'],
    ['58P01', 'requested WAL segment 000000010000000000000001 has already been removed', 'SLUICE-4003'],
    ['42704', 'publication "p" does not exist', 'SLUICE-4005'],
    ['57P01', 'terminating connection due to administrator command', 'SLUICE-1012'],
    [
      '22P05',
      'character with byte sequence 0x81 in encoding "WIN1252" has no equivalent in encoding "UTF8"',
      'SLUICE-4010',
    ],
    ['22021', 'invalid byte sequence for encoding "EUC_JP": 0xa4', 'SLUICE-4010'],
    ['53100', 'could not write to file: No space left on device', 'SLUICE-4004'],
  ])('%s %s → %s', (state, message, code) => {
    expect(classifyReplicationError(new ServerError(state, message), 's').code).toBe(code);
  });

  it('takes an error of the socket as a lost connection', () => {
    expect(classifyReplicationError(new Error('read ECONNRESET'), 's').code).toBe('SLUICE-1012');
  });
});
