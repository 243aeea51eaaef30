import { describe, expect, it } from '@jest/globals';
import { parseIfMatch } from './conditional.js';

describe('If-Match', () => {
  it.each<[string | undefined, readonly number[] | undefined]>([
    [undefined, undefined],
    ['*', undefined],
    ['"7"', [7]],
    [' "7" , "12"', [7, 12]],
    ['W/"7"', []],
    ['W/"7", "8"', [8]],
    ['"of another form"', []],
    ['""', []],
  ])('%s', (header, expected) => {
    expect(parseIfMatch(header)).toEqual(expected);
  });

  it.each(['7', '"7', '"7" "8"', ''])('refuses %s', (header) => {
    expect(() => parseIfMatch(header)).toThrow('If-Match');
  });
});
