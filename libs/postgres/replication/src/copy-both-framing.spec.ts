import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CopyBothFraming } from './copy-both-framing.js';
import {
  begin,
  commit,
  cstring,
  insert,
  keepaliveFrame,
  letter,
  serverMessage,
  tuple,
  xlogFrame,
} from './pgoutput/sample-frames.js';

function recorder(): { framing: CopyBothFraming; runs: Buffer[]; log: string[] } {
  const runs: Buffer[] = [];
  const log: string[] = [];
  const framing = new CopyBothFraming({
    started: () => log.push('started'),
    changes: (run) => {
      runs.push(Buffer.from(run));
      log.push('changes');
    },
    keepalive: ({ walEnd, isReplyRequested }) => log.push(`keepalive ${walEnd} ${isReplyRequested}`),
    failed: (error) => log.push(`${error.code} ${error.message}`),
    ended: () => log.push('ended'),
  });
  return { framing, runs, log };
}

const CHANGES = Buffer.concat([
  xlogFrame(1n, begin(9n)),
  xlogFrame(2n, insert(1, tuple('x'.repeat(700_000), null))),
  xlogFrame(3n, insert(1, tuple('y', null))),
  xlogFrame(10n, commit(9n, 10n)),
]);
const WITH_KEEPALIVE = Buffer.concat([CHANGES, keepaliveFrame(77n, true), CHANGES]);

describe('CopyBothFraming', () => {
  it('hands out the same frames however the bytes are cut, with a frame larger than its memory', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 30 }), (cuts) => {
        const { framing, runs, log } = recorder();
        let offset = 0;
        for (let index = 0; offset < WITH_KEEPALIVE.length; index += 1) {
          const length = cuts[index % cuts.length] ?? 1;
          framing.append(WITH_KEEPALIVE.subarray(offset, offset + length));
          offset += length;
        }
        expect(Buffer.concat(runs).equals(Buffer.concat([CHANGES, CHANGES]))).toBe(true);
        expect(log.filter((line) => line !== 'changes')).toEqual(['keepalive 77 true']);
      }),
      { numRuns: 20 },
    );
  });

  it('holds rows that come with the answer to START_REPLICATION until they are asked for', () => {
    const { framing, log } = recorder();
    framing.append(Buffer.concat([serverMessage('W', Buffer.from([0, 0, 0])), CHANGES.subarray(0, 60)]));
    expect(log).toEqual(['started']);
    framing.release();
    expect(log).toEqual(['started', 'changes']);
  });

  it('takes bytes that were read to where it was before it handed out what it held', () => {
    const { framing, runs } = recorder();
    const answer = Buffer.concat([serverMessage('W', Buffer.from([0, 0, 0])), CHANGES.subarray(0, 60)]);
    answer.copy(framing.space());
    framing.filled(answer.length);
    const chosenBefore = framing.space();
    framing.release();
    const more = CHANGES.subarray(60, 100_000);
    more.copy(chosenBefore);
    framing.append(chosenBefore.subarray(0, more.length));
    framing.append(CHANGES.subarray(100_000));
    expect(Buffer.concat(runs).equals(CHANGES)).toBe(true);
  });

  it('reads the fields of an error', () => {
    const { framing, log } = recorder();
    const fields = [
      letter('S'),
      cstring('FATAL'),
      letter('C'),
      cstring('57P01'),
      letter('M'),
      cstring('bye'),
      Buffer.from([0]),
    ];
    framing.append(serverMessage('E', ...fields));
    expect(log).toEqual(['57P01 bye']);
  });

  it('refuses bytes that are no message', () => {
    expect(() => recorder().framing.append(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow('SLUICE-4004');
    expect(() => recorder().framing.append(Buffer.from([0x64, 0, 0, 0, 1, 0]))).toThrow('SLUICE-4004');
  });
});
