import { describe, expect, it } from '@jest/globals';
import { Subtransactions } from './subtransactions.js';

describe('Subtransactions', () => {
  it('sets one savepoint for each, before its first change, and none for the transaction itself', () => {
    const subtransactions = new Subtransactions(1);
    expect([1, 2, 2, 1, 3, 2].map((xid) => subtransactions.enter(xid))).toEqual([
      false,
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  it('goes back before everything that came since the first change of an aborted one', () => {
    const subtransactions = new Subtransactions(1);
    for (const xid of [2, 3, 4]) subtransactions.enter(xid);
    // The source names those within it first.
    expect([4, 3, 3, 5].map((xid) => subtransactions.abort(xid))).toEqual([1, 1, 0, 0]);
    expect(subtransactions.enter(6)).toBe(true);
    expect([2, 6].map((xid) => subtransactions.abort(xid))).toEqual([2, 0]);
    subtransactions.enter(7);
    expect([subtransactions.release(), subtransactions.release()]).toEqual([1, 0]);
  });
});
