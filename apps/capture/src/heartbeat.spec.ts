import { describe, expect, it } from '@jest/globals';
import { lsnFromBigInt } from '@sluice/model';
import { type IdleSight, isHeartbeatDue } from './heartbeat.js';

const MEBIBYTE = 1024n * 1024n;
const IDLE: IdleSight = {
  walEndLsn: lsnFromBigInt(0n),
  slotConfirmedLsn: lsnFromBigInt(0n),
  transactionCount: 5,
  isOutstanding: false,
};
const GROWN: IdleSight = { ...IDLE, walEndLsn: lsnFromBigInt(MEBIBYTE) };

describe('isHeartbeatDue', () => {
  it.each([
    ['WAL grew and nothing moved', GROWN, true],
    ['WAL hardly grew', { ...GROWN, walEndLsn: lsnFromBigInt(MEBIBYTE - 1n) }, false],
    ['the stream brought something', { ...GROWN, transactionCount: 6 }, false],
    ['the slot moved by itself', { ...GROWN, slotConfirmedLsn: lsnFromBigInt(1n) }, false],
    ['the target is behind', { ...GROWN, isOutstanding: true }, false],
  ])('%s', (_, now, expected) => {
    expect(isHeartbeatDue(IDLE, now)).toBe(expected);
  });
});
