import { describe, expect, it } from '@jest/globals';
import { formatGrowth, formatResults } from './report.js';

const SLUICE = { name: 'sluice', runs: [1, 3, 2], medianSeconds: 2, figures: { 'RSS MiB': [100, 120, 90] } };
const NATIVE = { name: 'native', runs: [4], medianSeconds: 4, figures: {} };
const MISSING = {
  name: 'pglogical',
  runs: [],
  medianSeconds: null,
  figures: {},
  missing: 'missing: it is not installed',
};

describe('formatResults', () => {
  it('shows ratios, only what a system measured, and names what is missing', () => {
    expect(formatResults('a case', [SLUICE, NATIVE, MISSING]).split('\n')).toEqual([
      'a case',
      '',
      'measured  system  median    min     max  sluice / it',
      'seconds   sluice    2.00   1.00    3.00         1.00',
      'seconds   native    4.00   4.00    4.00         0.50',
      'RSS MiB   sluice  100.00  90.00  120.00         1.00',
      'no result of pglogical: missing: it is not installed',
    ]);
  });
});

describe('formatGrowth', () => {
  it('puts the medians of each amount of work side by side', () => {
    const steps = [1, 4].map((factor) => ({
      factor,
      results: [{ ...NATIVE, runs: [factor], medianSeconds: factor }],
    }));
    expect(formatGrowth('a case', steps).split('\n').slice(1)).toEqual([
      'median of          1×    4×',
      'native, seconds  1.00  4.00',
    ]);
  });
});
