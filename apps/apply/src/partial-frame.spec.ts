import { describe, expect, it } from '@jest/globals';
import { PartialFrame } from './partial-frame.js';

/** An XLogData frame with a message of this many bytes. */
function frame(messageBytes: number, fill: number): Buffer {
  const bytes = Buffer.alloc(30 + messageBytes, fill);
  bytes.write('d', 0);
  bytes.writeUInt32BE(bytes.length - 1, 1);
  bytes.write('w', 5);
  return bytes;
}

describe('PartialFrame', () => {
  it.each([1, 7, 100, 4000])(
    'puts a frame together again, whatever stands before it, from pieces of %i bytes',
    (size) => {
      const whole = Buffer.concat([frame(50, 1), frame(20, 2), frame(5_000, 3)]);
      const partial = new PartialFrame();
      expect(partial.isEmpty).toBe(true);
      for (let start = 0; start < whole.length; start += size) partial.add(whole.subarray(start, start + size));
      expect(partial.isEmpty).toBe(false);
      expect(partial.take().equals(whole)).toBe(true);
      expect(partial.isEmpty).toBe(true);
    },
  );

  it('takes memory once, of the size that the head of the frame tells', () => {
    const whole = Buffer.concat([frame(50, 1), frame(5_000, 3)]);
    const partial = new PartialFrame();
    partial.add(whole.subarray(0, 200));
    partial.add(whole.subarray(200));
    expect(partial.take().buffer.byteLength).toBe(whole.length);
  });
});
