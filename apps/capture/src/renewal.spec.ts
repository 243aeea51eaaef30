import { describe, expect, it } from '@jest/globals';
import { lsnFromBigInt } from '@sluice/model';
import { Renewal } from './renewal.js';

const lsn = (value: number): ReturnType<typeof lsnFromBigInt> => lsnFromBigInt(BigInt(value));
const facts = (oldest: number, next: number, insert: number): Parameters<Renewal['saw']>[0] => ({
  oldestRunningXid: BigInt(oldest),
  nextXid: BigInt(next),
  walInsertLsn: lsn(insert),
  walEndLsn: lsn(insert),
  clockOffsetMs: 0,
  systemId: '1',
  timeline: 1,
});

describe('Renewal', () => {
  it('waits until what ran at the begin has ended and been read', () => {
    const renewal = new Renewal(0);
    renewal.saw(facts(7, 10, 100));
    expect(renewal.isDue(lsn(1_000))).toBe(false);
    renewal.saw(facts(9, 20, 200));
    expect(renewal.isDue(lsn(1_000))).toBe(false);
    renewal.saw(facts(12, 30, 300));
    renewal.saw(facts(40, 40, 400));
    expect([299, 300].map((position) => renewal.isDue(lsn(position)))).toEqual([false, true]);
  });

  it('is never due before its time, nor in a session that needs none', () => {
    for (const renewal of [new Renewal(3_600_000), new Renewal(null)]) {
      renewal.saw(facts(10, 10, 100));
      expect(renewal.isDue(lsn(1_000))).toBe(false);
    }
  });
});
