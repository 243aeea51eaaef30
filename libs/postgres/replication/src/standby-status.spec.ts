import { describe, expect, it } from '@jest/globals';
import { parseLsn } from '@sluice/model';
import { encodeStandbyStatus } from './standby-status.js';

describe('encodeStandbyStatus', () => {
  it('sends the positions as they are, without one more, and the clock in microseconds since 2000', () => {
    const confirmedLsn = parseLsn('1/FFFFFFFF');
    const receivedLsn = parseLsn('2/10');
    const message = encodeStandbyStatus(
      { receivedLsn, confirmedLsn, requestsReply: true },
      Date.UTC(2000, 0, 1, 0, 0, 1),
    );
    expect(message.toString('latin1', 0, 1) + message.toString('latin1', 5, 6)).toBe('dr');
    expect(message.readInt32BE(1)).toBe(message.length - 1);
    expect(message.readBigUInt64BE(6)).toBe(receivedLsn);
    expect(message.readBigUInt64BE(14)).toBe(confirmedLsn);
    expect(message.readBigUInt64BE(22)).toBe(confirmedLsn);
    expect(message.readBigInt64BE(30)).toBe(1_000_000n);
    expect(message[38]).toBe(1);
  });
});
