import { describe, expect, it } from '@jest/globals';
import { type ClockSample, clockSkewMs, medianRoundTripMs } from './probe-server.js';

const SAMPLES: ClockSample[] = [
  { askedAtMs: 0, answeredAtMs: 100, serverMs: 1_095 },
  { askedAtMs: 200, answeredAtMs: 202, serverMs: 1_231 },
  { askedAtMs: 300, answeredAtMs: 304, serverMs: 1_400 },
];

describe('clock samples', () => {
  it('give the median round trip', () => expect(medianRoundTripMs(SAMPLES)).toBe(4));

  it('give the skew by the fastest answer', () => expect(clockSkewMs(SAMPLES, 1_000)).toBe(30));
});
