import { describe, expect, it } from '@jest/globals';
import { Secret } from '@sluice/kernel';
import { Sealer } from './sealed-box.js';

const sealer = new Sealer(new Secret('a master key of this test'));

describe('Sealer', () => {
  it('opens what it sealed, also after a restart with the same master key', () => {
    const box = sealer.seal('geheim ✓', 'task 1');
    expect(new Sealer(new Secret('a master key of this test')).open(box, 'task 1')).toBe('geheim ✓');
  });

  it('holds neither the clear text nor the same bytes twice', () => {
    const [one, two] = [sealer.seal('geheim', 'task 1'), sealer.seal('geheim', 'task 1')];
    expect(one.sealed.includes('geheim')).toBe(false);
    expect(one.sealed.equals(two.sealed)).toBe(false);
  });

  it('refuses a box of another row', () => {
    expect(() => sealer.open(sealer.seal('geheim', 'task 1'), 'task 2')).toThrow('SLUICE-9001');
  });

  it('refuses a box that was changed', () => {
    const box = sealer.seal('geheim', 'task 1');
    box.sealed[box.sealed.length - 1] = (box.sealed.at(-1) ?? 0) ^ 1;
    expect(() => sealer.open(box, 'task 1')).toThrow('SLUICE-9001');
  });

  it('names both keys when it has the wrong master key', () => {
    const other = new Sealer(new Secret('another master key'));
    const box = sealer.seal('geheim', 'task 1');
    expect(() => other.open(box, 'task 1')).toThrow(`sealed under master key ${sealer.keyId}`);
  });
});
