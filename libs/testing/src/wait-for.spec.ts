import { describe, expect, it } from '@jest/globals';
import { waitFor } from './wait-for.js';

describe('waitFor', () => {
  it('returns the first fact, also a falsy one', async () => {
    const answers = [undefined, false, 0] as const;
    let calls = 0;
    expect(await waitFor('zero', () => answers[calls++], { intervalMs: 1 })).toBe(0);
  });

  it('names what it waited for and what it saw last', async () => {
    const wait = waitFor('the moon', () => Promise.resolve(false as const), { deadlineMs: 5, intervalMs: 1 });
    await expect(wait).rejects.toThrow('waited 5 ms for: the moon; last seen: false');
  });

  it('ends at once when the probe rejects', async () => {
    await expect(waitFor('x', () => Promise.reject(new Error('broken probe')))).rejects.toThrow('broken probe');
  });
});
