import { describe, expect, it } from '@jest/globals';
import { lsnFromBigInt } from '@sluice/model';
import { ReadThrough } from './read-through.js';

const at = lsnFromBigInt;

describe('ReadThrough', () => {
  it('is unknown until the source was seen', () => {
    const read = new ReadThrough();
    read.reached(at(10n));
    expect(read.at(5)).toBeNull();
  });

  it('is the present while everything that was seen is read', () => {
    const read = new ReadThrough();
    read.saw(at(10n), 1_000);
    read.reached(at(10n));
    expect(read.at(5_000)).toBe(5_000);
  });

  it('stays behind while WAL that was seen is not read, and follows commit times', () => {
    const read = new ReadThrough();
    read.reached(at(10n));
    read.saw(at(10n), 1_000);
    read.saw(at(20n), 11_000);
    expect(read.at(12_000)).toBe(1_000);
    read.committed(4_000);
    expect(read.at(60_000)).toBe(4_000);
    read.committed(3_000);
    expect(read.at(60_000)).toBe(4_000);
    read.reached(at(20n));
    expect(read.at(61_000)).toBe(61_000);
  });
});
