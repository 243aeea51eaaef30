import { describe, expect, it } from '@jest/globals';
import { formatBar, formatBytes, formatCount, formatDuration, formatQuantity } from './format.js';

describe('numbers for people', () => {
  it.each<[number, string]>([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_999, '1.0 MB'],
    [88_600_000, '88.6 MB'],
    [3.2e15, '3.2 PB'],
    [5e18, '5000.0 PB'],
  ])('writes %d bytes as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each<[number, string]>([
    [0, '0.00 s'],
    [-5, '0.00 s'],
    [420, '0.42 s'],
    [9_999, '10.0 s'],
    [99_990, '1 min 40 s'],
    [185_000, '3 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
  ])('writes %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('groups thousands and knows one from many', () => {
    expect(formatCount(1_234_567.4)).toBe('1,234,567');
    expect(formatQuantity(1, 'row')).toBe('1 row');
    expect(formatQuantity(0, 'row')).toBe('0 rows');
  });

  it.each<[number, string]>([
    [-1, '░░░░'],
    [0.5, '██░░'],
    [7, '████'],
  ])('draws a bar for %d', (fraction, bar) => expect(formatBar(fraction, 4)).toBe(bar));
});
