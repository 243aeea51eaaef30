import { describe, expect, it } from '@jest/globals';
import { FRAME_HEADER_BYTES, frames } from '@sluice/postgres-replication';
import { type FrameRun } from './source-transaction.js';
import { inWalOrder } from './wal-order.js';

/** `I5`: a frame of that kind at that LSN. */
function runOf(description: string): FrameRun {
  const buffer = Buffer.concat(
    description.split(' ').map((text) => {
      const frame = Buffer.alloc(FRAME_HEADER_BYTES + 1);
      frame.write('d', 0);
      frame.writeInt32BE(frame.length - 1, 1);
      frame.write('w', 5);
      frame.writeBigUInt64BE(BigInt(text.slice(1)), 6);
      frame.write(text.charAt(0), FRAME_HEADER_BYTES);
      return frame;
    }),
  );
  return { buffer, start: 0, end: buffer.length };
}

function describeRuns(runs: readonly FrameRun[]): string {
  return runs
    .flatMap(({ buffer, start, end }) => {
      const texts: string[] = [];
      for (const frame of frames(buffer, { start, limit: end }))
        texts.push(String.fromCharCode(frame.kind) + String(buffer.readBigUInt64BE(frame.offset + 6)));
      return texts;
    })
    .join(' ');
}

describe('inWalOrder', () => {
  it.each([
    ['B5 I5 M5 C9', 'B5 M5 I5 C9'],
    ['B1 I1 R7 I7 I7 M7 U8 C9', 'B1 I1 R7 M7 I7 I7 U8 C9'],
    ['B1 M1 I2 M3 I4 C9', 'B1 M1 I2 M3 I4 C9'],
    ['B1 I1 M1 I4 M4 I5 C9', 'B1 M1 I1 M4 I4 I5 C9'],
    ['B0 I0 M0 C0', 'B0 I0 M0 C0'],
    ['B1 I1 M1 C2 B3 I3 M3 C4', 'B1 M1 I1 C2 B3 M3 I3 C4'],
  ])('%s becomes %s', (before, after) => {
    expect(describeRuns(inWalOrder([runOf(before)]))).toBe(after);
  });

  it('finds the change in the batch before the message', () => {
    expect(describeRuns(inWalOrder([runOf('B1 I1 I5'), runOf('R1 I5'), runOf('R1 M5 I6 C9')]))).toBe(
      'B1 I1 M5 I5 R1 I5 R1 I6 C9',
    );
  });
});
