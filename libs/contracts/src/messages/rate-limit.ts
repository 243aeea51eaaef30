import { z } from 'zod';

/** One MB is 10^6 bytes. */
const MegabytesPerSecond = z.number().int().min(1).max(9999);
const WINDOWS_MAX = 3;
const MINUTES_PER_DAY = 24 * 60;

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM, from 00:00 to 23:59');

const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'a time zone of the IANA database, for example Europe/Vienna or UTC');

/** From `from` up to, not including, `to`, by the clocks of the time zone; over midnight when `to` is the earlier. */
export const RateLimitWindow = z.strictObject({
  from: TimeOfDay,
  to: TimeOfDay,
  megabytesPerSecond: MegabytesPerSecond,
});
export type RateLimitWindow = z.infer<typeof RateLimitWindow>;

const RateLimitWindows = z
  .array(RateLimitWindow)
  .min(1)
  .max(WINDOWS_MAX)
  .superRefine((windows, context) => {
    windows.forEach((window, index) => {
      if (window.from === window.to) {
        context.addIssue({ code: 'custom', path: [index], message: 'must not be empty; mode all_day has no windows' });
      }
      const other = windows.slice(0, index).findIndex((earlier) => overlap(earlier, window));
      if (other !== -1) context.addIssue({ code: 'custom', path: [index], message: `overlaps window ${other}` });
    });
  });

/** How fast a full load may read its source, all its workers together; without a limit outside the windows. */
export const RateLimit = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('off') }),
  z.strictObject({ mode: z.literal('all_day'), megabytesPerSecond: MegabytesPerSecond }),
  z.strictObject({ mode: z.literal('windows'), timeZone: TimeZone, windows: RateLimitWindows }),
]);
export type RateLimit = z.infer<typeof RateLimit>;

export const NO_RATE_LIMIT: RateLimit = { mode: 'off' };

/** Minutes since midnight of a time of day, `HH:MM`. */
export function minuteOfDay(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/** Whether a window holds a minute of the day. */
export function holdsMinute({ from, to }: RateLimitWindow, minute: number): boolean {
  const [start, end] = [minuteOfDay(from), minuteOfDay(to)];
  const lasts = (end - start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
  return (minute - start + MINUTES_PER_DAY) % MINUTES_PER_DAY < lasts;
}

/** Of two windows that overlap, one holds the other's beginning. */
function overlap(a: RateLimitWindow, b: RateLimitWindow): boolean {
  return holdsMinute(a, minuteOfDay(b.from)) || holdsMinute(b, minuteOfDay(a.from));
}

function isTimeZone(name: string): boolean {
  // Intl takes offsets, too, which know of no summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
