import { describe, expect, it } from '@jest/globals';
import { type RateLimit } from '@sluice/contracts';
import { bytesPerSecondAt } from './rate-limit.js';

const vienna = (from: string, to: string): RateLimit => ({
  mode: 'windows',
  timeZone: 'Europe/Vienna',
  windows: [
    { from, to, megabytesPerSecond: 2 },
    { from: '12:00', to: '12:01', megabytesPerSecond: 9 },
  ],
});

describe('bytesPerSecondAt', () => {
  it('is the same all day, or none', () => {
    const at = new Date('2026-05-05T05:05:05Z');
    expect(bytesPerSecondAt({ mode: 'off' }, at)).toBeNull();
    expect(bytesPerSecondAt({ mode: 'all_day', megabytesPerSecond: 3 }, at)).toBe(3_000_000);
  });

  it.each([
    ['before a window', '08:00–18:00', '2026-01-10T06:59:59Z', null],
    ['at its beginning', '08:00–18:00', '2026-01-10T07:00:00Z', 2_000_000],
    ['in its last second', '08:00–18:00', '2026-01-10T16:59:59Z', 2_000_000],
    ['at its end', '08:00–18:00', '2026-01-10T17:00:00Z', null],
    ['in another window', '08:00–11:00', '2026-01-10T11:00:30Z', 9_000_000],
    ['in summer at its beginning', '08:00–18:00', '2026-07-10T06:00:00Z', 2_000_000],
    ['in summer at its end', '08:00–18:00', '2026-07-10T16:00:00Z', null],
    ['before midnight', '22:00–06:00', '2026-01-10T22:59:00Z', 2_000_000],
    ['at midnight', '22:00–00:00', '2026-01-10T23:00:00Z', null],
    ['after midnight', '22:00–06:00', '2026-01-10T23:00:00Z', 2_000_000],
    ['in the morning', '22:00–06:00', '2026-01-10T05:00:00Z', null],
    // On 2026-03-29 the clocks go from 02:00 to 03:00, at 01:00 UTC.
    ['in an hour that is left out, just before', '02:00–03:00', '2026-03-29T00:59:59Z', null],
    ['in an hour that is left out, just after', '02:00–03:00', '2026-03-29T01:00:00Z', null],
    ['over an hour that is left out', '01:30–03:30', '2026-03-29T01:29:59Z', 2_000_000],
    ['after a night with an hour left out', '01:30–03:30', '2026-03-29T01:30:00Z', null],
    // On 2026-10-25 they go from 03:00 to 02:00, at 01:00 UTC.
    ['in an hour that comes twice, first', '02:00–03:00', '2026-10-25T00:00:00Z', 2_000_000],
    ['in an hour that comes twice, again', '02:00–03:00', '2026-10-25T01:59:59Z', 2_000_000],
    ['after an hour that came twice', '02:00–03:00', '2026-10-25T02:00:00Z', null],
  ])('%s', (...[, window, at, expected]) => {
    const [from = '', to = ''] = window.split('–');
    expect(bytesPerSecondAt(vienna(from, to), new Date(at))).toBe(expected);
  });
});
