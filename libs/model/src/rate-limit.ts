import { holdsMinute, minuteOfDay, type RateLimit } from '@sluice/contracts';
import { unreachable } from '@sluice/kernel';

const BYTES_PER_MEGABYTE = 1_000_000;

/** The limit that is in force at an instant, bytes per second; `null` when there is none. */
export function bytesPerSecondAt(limit: RateLimit, at: Date): number | null {
  switch (limit.mode) {
    case 'off':
      return null;
    case 'all_day':
      return limit.megabytesPerSecond * BYTES_PER_MEGABYTE;
    case 'windows': {
      const minute = minuteAt(at, limit.timeZone);
      const window = limit.windows.find((each) => holdsMinute(each, minute));
      return window ? window.megabytesPerSecond * BYTES_PER_MEGABYTE : null;
    }
    default:
      return unreachable(limit);
  }
}

/** What a clock on the wall shows there, so that a window begins and ends by it on the days when clocks are changed, too. */
function minuteAt(at: Date, timeZone: string): number {
  const wall = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return minuteOfDay(wall.format(at));
}
