import { describe, expect, it } from '@jest/globals';
import { lsnFromBigInt } from '@sluice/model';
import fc from 'fast-check';
import { ConfirmationTracker } from './confirmation-tracker.js';

const lsn = fc.bigInt({ min: 0n, max: 1_000n }).map(lsnFromBigInt);

describe('ConfirmationTracker (I1)', () => {
  it('never goes back, is never above the durable LSN, never above what was published', () => {
    fc.assert(
      fc.property(lsn, fc.array(fc.tuple(fc.boolean(), lsn)), (startLsn, reports) => {
        const tracker = new ConfirmationTracker(startLsn);
        let [published, durable, before] = [startLsn, lsnFromBigInt(0n), lsnFromBigInt(0n)];
        for (const [isDurable, position] of reports) {
          if (isDurable) {
            tracker.durable(position);
            durable = position > durable ? position : durable;
          } else {
            tracker.published(position);
            published = position > published ? position : published;
          }
          expect(tracker.confirmedLsn >= before).toBe(true);
          expect(tracker.confirmedLsn).toBe(durable < published ? durable : published);
          before = tracker.confirmedLsn;
        }
      }),
    );
  });

  it('confirms what the bus has stored when that is ordered, but for what may leave the bus before it is applied', () => {
    const at = lsnFromBigInt;
    const tracker = new ConfirmationTracker(at(10n), 'stored');
    // What was stored before this session began could hold a large transaction.
    expect(tracker.confirmedLsn).toBe(0n);
    tracker.durable(at(9n));
    expect(tracker.confirmedLsn).toBe(9n);
    tracker.durable(at(10n));
    tracker.published(at(20n));
    expect(tracker.confirmedLsn).toBe(20n);
    tracker.published(at(30n), true);
    tracker.published(at(40n));
    expect(tracker.confirmedLsn).toBe(20n);
    tracker.durable(at(25n));
    expect(tracker.confirmedLsn).toBe(25n);
    tracker.durable(at(30n));
    expect(tracker.confirmedLsn).toBe(40n);
  });
});
