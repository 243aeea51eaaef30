import { describe, expect, it } from '@jest/globals';
import { addFingerprints, equalFingerprints, parseFingerprint, rowHash, rowText } from './row-expression.js';

const PLAIN = { floatsAsBits: false, encodeAsUtf8: false };

describe('rowText', () => {
  it('quotes names', () => {
    const column = { name: 'Odd "name', floatSend: null };
    expect(rowText([column], PLAIN)).toBe('ROW(t."Odd ""name")::text');
  });

  it('takes floats by their bits between servers that print them differently', () => {
    const columns = [
      { name: 'f', floatSend: 'float8send' },
      { name: 'i', floatSend: null },
    ];
    expect(rowText(columns, { ...PLAIN, floatsAsBits: true })).toBe(
      `ROW(encode(float8send(t."f"), 'hex'), t."i")::text`,
    );
    expect(rowText(columns, PLAIN)).toBe('ROW(t."f", t."i")::text');
  });

  it('hashes UTF-8 between servers of different encodings', () => {
    const columns = [{ name: 'a', floatSend: null }];
    expect(rowHash(columns, { ...PLAIN, encodeAsUtf8: true })).toBe(`md5(convert_to(ROW(t."a")::text, 'UTF8'))`);
  });
});

describe('fingerprints', () => {
  const one = parseFingerprint({ row_count: '1', high: '-9223372036854775808', low: '7' });

  it('adds up without losing digits and does not cancel a row that occurs twice', () => {
    const two = addFingerprints(one, one);
    expect(two).toEqual({ rowCount: 2n, high: -18446744073709551616n, low: 14n });
    expect(equalFingerprints(two, addFingerprints(two, two))).toBe(false);
  });

  it.each([{ rowCount: 2n }, { high: 0n }, { low: 8n }])('differ when %p differs', (part) => {
    expect(equalFingerprints(one, { ...one, ...part })).toBe(false);
  });
});
