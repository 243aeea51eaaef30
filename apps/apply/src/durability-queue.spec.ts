import { describe, expect, it } from '@jest/globals';
import { type Lsn } from '@sluice/model';
import { DurabilityQueue } from './durability-queue.js';

const lsn = (value: number): Lsn => BigInt(value) as Lsn;

describe('DurabilityQueue', () => {
  it('releases only batches whose last transaction is on disk', () => {
    const queue = new DurabilityQueue();
    queue.add(lsn(10), 1);
    queue.add(lsn(20), 4);
    expect(queue.takeThrough(lsn(9))).toBeNull();
    expect(queue.takeThrough(lsn(19))).toBe(1);
    expect(queue.takeThrough(lsn(20))).toBe(4);
    expect(queue.isEmpty).toBe(true);
  });

  it('keeps one entry for batches that add nothing and forgets what it has released', () => {
    const queue = new DurabilityQueue();
    queue.add(lsn(10), 1);
    queue.add(lsn(10), 2);
    queue.add(lsn(10), 2);
    expect(queue.takeThrough(lsn(10))).toBe(2);
    queue.add(lsn(10), 2);
    expect(queue.takeThrough(lsn(10))).toBeNull();
  });
});
