import { describe, expect, it } from '@jest/globals';
import { CHANGE_HEADERS } from '@sluice/contracts';
import { formatLsn, type Lsn } from '@sluice/model';
import { type BatchHeader, readBatchHeader, StreamContinuity } from './stream-continuity.js';

const lsn = (value: number): Lsn => BigInt(value) as Lsn;

function batch(
  session: string,
  ordinal: number,
  options: { previous?: number; continues?: BatchHeader['continues'] } = {},
): BatchHeader {
  return {
    session,
    ordinal,
    previousLsn: lsn(options.previous ?? 0),
    slotLsn: null,
    watermarkLsn: lsn(100),
    source: null,
    capturedAtMs: null,
    continues: options.continues ?? null,
    isPartial: false,
    isFinal: false,
    streamed: null,
    isBinary: false,
  };
}

describe('StreamContinuity', () => {
  it('begins in the middle of a session only where nothing is missing and no transaction is open', () => {
    expect(new StreamContinuity().accept(batch('a', 7, { previous: 50 }), lsn(50))).toBe('new-session');
    expect(new StreamContinuity().accept(batch('a', 7, { previous: 51 }), lsn(50))).toBe('gap');
    expect(new StreamContinuity().accept(batch('a', 7, { previous: 50, continues: 'frame' }), lsn(50))).toBe('gap');
    expect(new StreamContinuity().accept(batch('a', 7, { previous: 50, continues: 'transaction' }), lsn(50))).toBe(
      'inside',
    );
  });

  it('goes on within a session without a missing, repeated or reordered batch', () => {
    const continuity = new StreamContinuity();
    continuity.accept(batch('a', 0), lsn(0));
    expect(continuity.accept(batch('a', 1, { continues: 'transaction' }), lsn(0))).toBe('follows');
    expect(continuity.accept(batch('a', 3), lsn(0))).toBe('gap');
    expect(continuity.accept(batch('a', 1), lsn(0))).toBe('gap');
    expect(continuity.accept(batch('a', 2), lsn(0))).toBe('follows');
  });

  it('takes over to another session that reaches back to the position', () => {
    const continuity = new StreamContinuity();
    continuity.accept(batch('a', 0), lsn(0));
    expect(continuity.accept(batch('b', 0, { previous: 90 }), lsn(80))).toBe('gap');
    expect(continuity.accept(batch('b', 0, { previous: 80 }), lsn(80))).toBe('new-session');
    expect(continuity.session).toBe('b');
    expect(continuity.accept(batch('a', 1, { previous: 90 }), lsn(80))).toBe('gap');
  });
});

describe('readBatchHeader', () => {
  const complete = {
    [CHANGE_HEADERS.session]: 's',
    [CHANGE_HEADERS.ordinal]: '3',
    [CHANGE_HEADERS.previousLsn]: formatLsn(lsn(16)),
    [CHANGE_HEADERS.watermarkLsn]: formatLsn(lsn(32)),
  };

  it('reads what capture writes', () => {
    expect(readBatchHeader({ ...complete, [CHANGE_HEADERS.slotLsn]: '0/8', [CHANGE_HEADERS.final]: '1' })).toEqual({
      session: 's',
      streamed: null,
      ordinal: 3,
      previousLsn: 16n,
      slotLsn: 8n,
      watermarkLsn: 32n,
      source: null,
      capturedAtMs: null,
      continues: null,
      isPartial: false,
      isFinal: true,
      isBinary: false,
    });
  });

  it.each(Object.keys(complete))('refuses a batch without %s', (name) => {
    const { [name]: _, ...headers }: Record<string, string> = complete;
    expect(() => readBatchHeader(headers)).toThrow(/SLUICE-7002/);
  });
});
