import { describe, expect, it } from '@jest/globals';
import { CASES, parseBenchArguments, USAGE, UsageError } from './arguments.js';

describe('parseBenchArguments', () => {
  it('has a description of every case', () => {
    for (const name of CASES) expect(USAGE).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
  });

  it('measures the published case three times unless told otherwise', () => {
    expect(parseBenchArguments(['bulk'])).toEqual({
      caseName: 'bulk',
      json: false,
      runCount: 3,
      scale: 1,
      growth: false,
      profile: false,
      only: null,
    });
  });

  it('takes all options', () => {
    const argv = [
      'hot',
      '--runs',
      '5',
      '--scale',
      '0.5',
      '--growth',
      '--profile',
      '--only',
      'sluice, native',
      '--json',
    ];
    expect(parseBenchArguments(argv)).toEqual({
      caseName: 'hot',
      json: true,
      runCount: 5,
      scale: 0.5,
      growth: true,
      profile: true,
      only: ['sluice', 'native'],
    });
  });

  it.each([
    [[]],
    [['fast']],
    [['oltp', 'bulk']],
    [['oltp', '--runs', '0']],
    [['oltp', '--runs', '1.5']],
    [['oltp', '--scale', '17']],
    [['oltp', '--fast']],
  ])('refuses %j', (argv) => {
    expect(() => parseBenchArguments(argv)).toThrow(UsageError);
  });
});
