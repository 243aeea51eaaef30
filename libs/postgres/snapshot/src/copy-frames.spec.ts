import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CopyFrames } from './copy-frames.js';

function frame(kind: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(kind, 0, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function divide(reads: readonly Buffer[]): { data: Buffer; other: Buffer; payloadBytes: number } {
  const data: Buffer[] = [];
  const other: Buffer[] = [];
  const frames = new CopyFrames({ onCopyData: (bytes) => data.push(bytes), onOther: (bytes) => other.push(bytes) });
  reads.forEach((read) => frames.feed(read));
  return { data: Buffer.concat(data), other: Buffer.concat(other), payloadBytes: frames.payloadBytes };
}

describe('CopyFrames', () => {
  it('gives every byte to the right side, however the network divides the stream', () => {
    const message = fc.record({
      kind: fc.constantFrom('d', 'd', 'd', 'H', 'N', 'c', 'C', 'Z'),
      body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (messages, sizes) => {
        const stream = Buffer.concat(messages.map(({ kind, body }) => frame(kind, body)));
        const reads: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          reads.push(stream.subarray(at, at + size));
          at += size;
        }
        const only = (isData: boolean): Buffer =>
          Buffer.concat(
            messages.filter(({ kind }) => (kind === 'd') === isData).map(({ kind, body }) => frame(kind, body)),
          );
        const divided = divide(reads);
        expect(divided.data.equals(only(true))).toBe(true);
        expect(divided.other.equals(only(false))).toBe(true);
        expect(divided.payloadBytes).toBe(
          messages.reduce((sum, { kind, body }) => sum + (kind === 'd' ? body.length : 0), 0),
        );
      }),
    );
  });

  it('passes a run of rows on as one piece of the same memory', () => {
    const rows = Buffer.concat([frame('d', Buffer.from('one')), frame('d', Buffer.from('two'))]);
    const pieces: Buffer[] = [];
    new CopyFrames({ onCopyData: (bytes) => pieces.push(bytes), onOther: () => undefined }).feed(rows);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]?.buffer).toBe(rows.buffer);
  });
});
