import { describe, expect, it } from '@jest/globals';
import { RateLimit } from './rate-limit.js';

const window = (from: string, to: string, megabytesPerSecond = 5) => ({ from, to, megabytesPerSecond });
const windows = (...list: readonly object[]) => ({ mode: 'windows', timeZone: 'Europe/Vienna', windows: list });

describe('a rate limit', () => {
  it.each([
    ['off', { mode: 'off' }],
    ['all day', { mode: 'all_day', megabytesPerSecond: 9999 }],
    [
      'windows that touch, the last over midnight',
      windows(window('08:00', '12:00'), window('12:00', '20:00'), window('20:00', '08:00')),
    ],
    ['a window up to midnight', windows(window('20:00', '00:00'), window('00:00', '01:00'))],
  ])('can be %s', (_, limit) => {
    expect(RateLimit.parse(limit)).toEqual(limit);
  });

  it.each([
    ['0 MB/s', { mode: 'all_day', megabytesPerSecond: 0 }, 'megabytesPerSecond'],
    ['10000 MB/s', { mode: 'all_day', megabytesPerSecond: 10_000 }, 'megabytesPerSecond'],
    ['a part of a MB', { mode: 'all_day', megabytesPerSecond: 1.5 }, 'megabytesPerSecond'],
    ['a field of another mode', { mode: 'off', megabytesPerSecond: 1 }, ''],
    ['an unknown mode', { mode: 'sometimes' }, 'mode'],
    ['no window', windows(), 'windows'],
    ['four windows', windows(...['01', '02', '03', '04'].map((hour) => window(`${hour}:00`, `${hour}:30`))), 'windows'],
    ['an empty window', windows(window('08:00', '08:00')), 'windows.0'],
    ['windows that overlap', windows(window('08:00', '12:00'), window('11:59', '13:00')), 'windows.1'],
    ['windows that overlap after midnight', windows(window('22:00', '06:00'), window('05:00', '07:00')), 'windows.1'],
    ['a window inside another', windows(window('09:00', '10:00'), window('08:00', '12:00')), 'windows.1'],
    ['an hour that is none', windows(window('24:00', '01:00')), 'windows.0.from'],
    ['an unknown time zone', { ...windows(window('08:00', '09:00')), timeZone: 'Europe/Nowhere' }, 'timeZone'],
    ['an offset', { ...windows(window('08:00', '09:00')), timeZone: '+02:00' }, 'timeZone'],
  ])('cannot be %s', (_, limit, path) => {
    const { error } = RateLimit.safeParse(limit);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });
});
