import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeBegin,
  decodeCommit,
  decodeMessage,
  decodeOrigin,
  decodeRelation,
  decodeStreamAbort,
  decodeStreamCommit,
  decodeStreamStart,
  decodeTruncate,
  decodeType,
} from './decode.js';
import { frames } from './frame-cursor.js';
import { readTuple, rowChange, TupleView } from './row-change.js';
import { begin, commit, cstring, insert, int32, int64, letter, relation, tuple, xlogFrame } from './sample-frames.js';

const HIGH_OID = 4_000_000_000;

describe('pgoutput decoder', () => {
  it('reads OIDs above 2^31 as unsigned', () => {
    expect(decodeRelation(relation(HIGH_OID, 'ä', ['id', 'x']), 0)).toEqual({
      oid: HIGH_OID,
      schema: 'public',
      name: 'ä',
      replicaIdentity: 'd',
      columns: [
        { name: 'id', typeOid: 23, typeModifier: -1, isKey: true },
        { name: 'x', typeOid: 23, typeModifier: -1, isKey: false },
      ],
    });
  });

  it('reads begin and commit with 64-bit positions', () => {
    expect(decodeBegin(begin(0xffff_ffff_0000_0001n, HIGH_OID), 0)).toMatchObject({
      commitLsn: 0xffff_ffff_0000_0001n,
      xid: HIGH_OID,
    });
    expect(decodeCommit(commit(5n, 9n), 0)).toMatchObject({ commitLsn: 5n, endLsn: 9n });
  });

  it('reads truncate, message, origin and type', () => {
    const truncate = Buffer.concat([letter('T'), int32(2), Buffer.from([3]), int32(1), int32(HIGH_OID)]);
    expect(decodeTruncate(truncate, 0)).toEqual({ relationOids: [1, HIGH_OID], cascade: true, restartIdentity: true });
    const message = Buffer.concat([
      letter('M'),
      Buffer.from([1]),
      int64(7n),
      cstring('p'),
      int32(2),
      Buffer.from([1, 2]),
    ]);
    expect(decodeMessage(message, 0)).toMatchObject({ isTransactional: true, lsn: 7n, prefix: 'p' });
    expect(decodeOrigin(Buffer.concat([letter('O'), int64(3n), cstring('o')]), 0)).toEqual({
      originLsn: 3n,
      name: 'o',
    });
    expect(decodeType(Buffer.concat([letter('Y'), int32(5), cstring(''), cstring('t')]), 0)).toEqual({
      oid: 5,
      schema: 'pg_catalog',
      name: 't',
    });
  });

  it.each([
    ['insert', Buffer.concat([letter('I'), int32(1), letter('N'), tuple('a')]), { operation: 'I', oldKind: null }],
    [
      'update of the key',
      Buffer.concat([letter('U'), int32(1), letter('K'), tuple('a', null), letter('N'), tuple('b', undefined)]),
      { operation: 'U', oldKind: 'K', oldTupleOffset: 6 },
    ],
    [
      'delete',
      Buffer.concat([letter('D'), int32(1), letter('O'), tuple('a')]),
      { operation: 'D', oldKind: 'O', newTupleOffset: -1 },
    ],
  ])('finds the tuples of an %s', (_name, bytes, expected) => {
    expect(rowChange(bytes, 0)).toMatchObject(expected);
  });

  it('shows where the cells lie, of every kind', () => {
    const bytes = insert(1, tuple('abc', null, undefined, ''));
    const view = readTuple(bytes, rowChange(bytes, 0).newTupleOffset, new TupleView(1));
    expect([...view.kinds.subarray(0, view.count)].map((kind) => String.fromCharCode(kind))).toEqual([
      't',
      'n',
      'u',
      't',
    ]);
    const [start = 0, length = 0] = [view.starts[0], view.lengths[0]];
    expect(bytes.toString('utf8', start, start + length)).toBe('abc');
    expect(bytes.readInt32BE(start - 4)).toBe(3);
    expect(view.end).toBe(bytes.length);
  });

  it('walks over frames and says where an incomplete one begins', () => {
    const run = Buffer.concat([xlogFrame(1n, begin(2n)), xlogFrame(3n, insert(1, tuple('x')))]);
    const cursor = frames(run.subarray(0, run.length - 1));
    expect(cursor.advance()).toBe(true);
    expect([cursor.lsn, String.fromCharCode(cursor.kind)]).toEqual([1n, 'B']);
    expect(cursor.advance()).toBe(false);
    expect(cursor.isAtEnd).toBe(false);
    expect([...frames(run)].length).toBe(2);
    expect(() => [...frames(run.subarray(0, run.length - 1))]).toThrow('SLUICE-4004');
  });

  it('makes a message of a running transaction one like any other, behind its xid', () => {
    const plain = insert(7, tuple('abc'));
    const streamed = Buffer.concat([plain.subarray(0, 1), int32(0x80000001), plain.subarray(1)]);
    const run = Buffer.concat([xlogFrame(1n, streamed), xlogFrame(2n, streamed)]);
    for (const frame of frames(run)) frame.moveXidForward();
    const moved = Array.from(frames(run, { isStreamed: true }), (frame) => ({
      xid: frame.xid,
      kind: String.fromCharCode(frame.kind),
      message: Buffer.from(run.subarray(frame.payloadOffset, frame.end)),
    }));
    expect(moved).toEqual([1, 2].map(() => ({ xid: 0x80000001, kind: 'I', message: plain })));
  });

  it('reads the begin, the commit and the abort of running transactions', () => {
    expect(decodeStreamStart(Buffer.concat([letter('S'), int32(7), Buffer.from([1])]), 0)).toEqual({
      xid: 7,
      isFirst: true,
    });
    const ended = Buffer.concat([letter('c'), int32(7), Buffer.from([0]), int64(20n), int64(30n), int64(40n)]);
    expect(decodeStreamCommit(ended, 0)).toEqual({ xid: 7, commitLsn: 20n, endLsn: 30n, commitTimeMicros: 40n });
    expect(decodeStreamAbort(Buffer.concat([letter('A'), int32(7), int32(8)]), 0)).toEqual({ xid: 7, subxid: 8 });
  });

  it('answers arbitrary bytes with a typed error, never a crash, a hang or a read past the end', () => {
    const view = new TupleView();
    const decoders = [
      decodeRelation,
      decodeBegin,
      decodeCommit,
      decodeTruncate,
      decodeMessage,
      decodeOrigin,
      decodeType,
      decodeStreamStart,
      decodeStreamCommit,
      decodeStreamAbort,
      (bytes: Uint8Array) => {
        const change = rowChange(bytes, 0);
        if (change.oldTupleOffset >= 0) readTuple(bytes, change.oldTupleOffset, view);
        if (change.newTupleOffset >= 0) readTuple(bytes, change.newTupleOffset, view);
        expect(view.end).toBeLessThanOrEqual(bytes.length);
      },
      (bytes: Uint8Array) => [...frames(bytes)],
      (bytes: Uint8Array) => [...frames(bytes, { isStreamed: true })],
      (bytes: Uint8Array) => {
        for (const frame of frames(bytes)) frame.moveXidForward();
      },
    ];
    const kinds = fc.constantFrom(...'RBCTMOYIUDdwKNOSEcA'.split('').map((kind) => kind.charCodeAt(0)));
    const small = fc.integer({ min: 0, max: 4 });
    const bytes = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), kinds, small), { maxLength: 80 });
    fc.assert(
      fc.property(bytes, fc.constantFrom(...decoders), (content, decode) => {
        try {
          decode(Uint8Array.from(content), 0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'SLUICE-4004' });
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('refuses every message that is cut short', () => {
    const whole = relation(1, 'orders', ['id', 'total']);
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeRelation(whole.subarray(0, length), 0)).toThrow('SLUICE-4004');
    }
  });
});
