import { describe, expect, it } from '@jest/globals';
import { CHANGE_BATCH_BYTES_MAX } from '@sluice/contracts';
import { lsnFromBigInt, ZERO_LSN } from '@sluice/model';
import { frames, MESSAGE_KIND } from '@sluice/postgres-replication';
import fc from 'fast-check';
import { BatchAssembler } from './batch-assembler.js';
import { type Batch } from './batch.js';

const NOTHING = Buffer.alloc(0);
const uint = (bytes: number, value: bigint | number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
};
const frame = (...message: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat([Buffer.from('w'), Buffer.alloc(24), ...message.map((part) => Buffer.from(part))]);
  return Buffer.concat([Buffer.from('d'), uint(4, body.length + 4), body]);
};
const begin = (commitLsn: number): Buffer => frame('B', uint(8, commitLsn), uint(8, 0), uint(4, 1));
const commit = (commitLsn: number): Buffer =>
  frame('C', uint(1, 0), uint(8, commitLsn), uint(8, commitLsn + 1), uint(8, 0));
const relation = (oid: number, name = `t${oid}`): Buffer => frame('R', uint(4, oid), `public\0${name}\0d`, uint(2, 0));
const insert = (oid: number, valueBytes = 10): Buffer =>
  frame('I', uint(4, oid), 'N', uint(2, 1), 't', uint(4, valueBytes), Buffer.alloc(valueBytes, 'v'));
const streamStart = (xid: number, isFirst: boolean): Buffer => frame('S', uint(4, xid), uint(1, isFirst ? 1 : 0));
const streamStop = (): Buffer => frame('E');
const streamCommit = (xid: number, commitLsn: number): Buffer =>
  frame('c', uint(4, xid), uint(1, 0), uint(8, commitLsn), uint(8, commitLsn + 1), uint(8, 0));
const streamAbort = (xid: number, subxid = xid): Buffer => frame('A', uint(4, xid), uint(4, subxid));
/** As the source sends it inside a block: the xid behind the kind. */
const ofRunning = (xid: number, message: Buffer): Buffer => {
  const [head, body] = [message.subarray(0, 31), message.subarray(31)];
  const framed = Buffer.concat([head, uint(4, xid), body]);
  framed.writeUInt32BE(framed.length - 1, 1);
  return framed;
};
const truncate = (...oids: number[]): Buffer =>
  frame('T', uint(4, oids.length), uint(1, 0), ...oids.map((oid) => uint(4, oid)));

/** Reads as from a socket: the memory of a run is used again as soon as it was handed over. */
class SocketReader extends BatchAssembler {
  override append(run: Uint8Array): void {
    const memory = Buffer.from(run);
    super.append(memory);
    memory.fill('#');
  }
}

/** No batch is released: all of them are on their way to the bus, so that their payloads must stay as they are. */
function pack(startLsn = ZERO_LSN): { assembler: BatchAssembler; batches: Batch[] } {
  const batches: Batch[] = [];
  const assembler = new SocketReader(startLsn, (batch) => batches.push(batch));
  return { assembler, batches };
}

const kinds = (payload: Uint8Array): string =>
  Array.from(frames(payload), ({ kind }) => String.fromCharCode(kind)).join('');

describe('BatchAssembler', () => {
  it('announces where the session starts', () => {
    const { assembler, batches } = pack(lsnFromBigInt(7n));
    assembler.announce();
    expect(batches).toMatchObject([{ previousLsn: 7n, watermarkLsn: 7n, continues: false }]);
  });

  it('says how far transactions are complete, and whether a batch begins inside one', () => {
    const { assembler, batches } = pack();
    assembler.append(Buffer.concat([begin(10), relation(1), insert(1), commit(10), begin(20)]));
    assembler.flush();
    assembler.append(insert(1));
    assembler.flush();
    assembler.append(Buffer.concat([commit(20), begin(30), commit(30)]));
    assembler.flush();
    expect(batches.map(({ previousLsn, watermarkLsn, continues }) => [previousLsn, watermarkLsn, continues])).toEqual([
      [0n, 11n, false],
      [11n, 11n, true],
      [11n, 31n, true],
    ]);
    expect([assembler.transactionCount, assembler.changeCount]).toEqual([3, 2]);
  });

  it('heads every batch with the newest relations that its changes need, once', () => {
    const { assembler, batches } = pack();
    assembler.append(
      Buffer.concat([begin(1), relation(1, 'old'), relation(2), insert(1), insert(2), relation(1, 'new')]),
    );
    assembler.flush();
    assembler.append(Buffer.concat([insert(1), insert(1), truncate(1, 2), commit(1)]));
    assembler.flush();
    assembler.append(Buffer.concat([begin(2), relation(2, 'newer'), insert(2), commit(2)]));
    assembler.flush();
    expect(batches.map(({ payload }) => kinds(payload))).toEqual(['BRRIIR', 'RRIITC', 'BRIC']);
    expect(Buffer.from(batches[1]?.payload ?? []).toString('latin1')).toContain('new');
  });

  it('says the position of an idle source only when nothing is open or waits', () => {
    const { assembler, batches } = pack();
    assembler.append(begin(1));
    expect(assembler.advanceWatermark(lsnFromBigInt(50n))).toBe(false);
    assembler.append(commit(1));
    expect(assembler.advanceWatermark(lsnFromBigInt(50n))).toBe(false);
    assembler.flush();
    expect(assembler.advanceWatermark(lsnFromBigInt(50n))).toBe(true);
    expect(assembler.advanceWatermark(lsnFromBigInt(50n))).toBe(false);
    expect(batches.at(-1)).toMatchObject({ previousLsn: 2n, watermarkLsn: 50n });
  });

  it('keeps batches within their bound when one truncation needs the descriptions of many relations', () => {
    const { assembler, batches } = pack();
    const oids = Array.from({ length: 300 }, (_, index) => index + 1);
    const wide = (oid: number): Buffer => relation(oid, `t${oid}`.padEnd(4_000, 'x'));
    for (const oid of oids) assembler.append(Buffer.concat([begin(oid), wide(oid), insert(oid), commit(oid)]));
    assembler.flush();
    const before = batches.length;
    assembler.append(Buffer.concat([begin(1_000), truncate(...oids), commit(1_000)]));
    assembler.flush();
    const after = batches.slice(before);
    expect(Math.max(...after.map(({ payload }) => payload.length))).toBeLessThanOrEqual(CHANGE_BATCH_BYTES_MAX);
    const all = after.map(({ payload }) => kinds(payload)).join('');
    expect(all.replaceAll('R', '')).toBe('BTC');
    expect(all.indexOf('T')).toBeGreaterThanOrEqual(oids.length);
    expect(after.slice(1).every(({ continues }) => continues)).toBe(true);
  });

  it('ends before the first transaction at or above the ordered end', () => {
    const { assembler, batches } = pack();
    assembler.stopAt(lsnFromBigInt(20n));
    assembler.append(Buffer.concat([begin(19), commit(19), begin(20), relation(1), insert(1), commit(20)]));
    expect(assembler.isDrained).toBe(true);
    expect(assembler.finish(lsnFromBigInt(20n))).toBe(20n);
    expect(batches.map(({ payload, isFinal }) => [kinds(payload), isFinal])).toEqual([
      ['BC', false],
      ['', true],
    ]);
  });

  it('spreads a frame that is larger than a batch over several, with its relation in front', () => {
    const { assembler, batches } = pack();
    const large = insert(1, 3 * CHANGE_BATCH_BYTES_MAX);
    assembler.append(Buffer.concat([begin(1), relation(1), insert(1)]));
    assembler.flush();
    assembler.append(Buffer.concat([insert(1), large, insert(1), commit(1)]));
    assembler.flush();
    expect(batches.map(({ isPartial }) => isPartial)).toEqual([false, false, true, true, true, false, false]);
    const pieces = batches.slice(2, 6).map(({ payload }) => payload);
    expect(Buffer.concat(pieces).equals(Buffer.concat([relation(1), large]))).toBe(true);
    expect(kinds(batches.at(-1)?.payload ?? new Uint8Array())).toBe('RIC');
  });

  it('brings every frame once, in order, in batches that can be read alone, however the stream is cut', () => {
    const change = fc.oneof(
      fc.record({ oid: fc.integer({ min: 1, max: 3 }), bytes: fc.integer({ min: 0, max: 90_000 }) }),
      fc.record({ oid: fc.integer({ min: 1, max: 3 }), bytes: fc.constant(CHANGE_BATCH_BYTES_MAX + 5) }),
    );
    const transaction = fc.array(fc.oneof({ weight: 8, arbitrary: change }, fc.constant('flush' as const)), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(transaction, { minLength: 1, maxLength: 4 }), (transactions) => {
        const { assembler, batches } = pack();
        const relations = [1, 2, 3].map((oid) => relation(oid));
        const sent: Buffer[] = [...relations];
        assembler.append(Buffer.concat(relations));
        transactions.forEach((items, index) => {
          const run: Buffer[] = [begin((index + 1) * 10)];
          for (const item of items) {
            if (item !== 'flush') run.push(insert(item.oid, item.bytes));
            else {
              assembler.append(Buffer.concat(run));
              sent.push(...run.splice(0));
              assembler.flush();
            }
          }
          run.push(commit((index + 1) * 10));
          assembler.append(Buffer.concat(run));
          sent.push(...run);
        });
        assembler.flush();
        expect(batches.every(({ payload }) => payload.length <= CHANGE_BATCH_BYTES_MAX)).toBe(true);
        const whole = Buffer.concat(batches.map(({ payload }) => payload));
        const received = Array.from(frames(whole), ({ kind, bytes }) =>
          kind === MESSAGE_KIND.relation ? NOTHING : bytes,
        );
        const expected = sent.slice(relations.length);
        expect(Buffer.concat(received).equals(Buffer.concat(expected))).toBe(true);
        expectReadableAlone(batches);
      }),
      { numRuns: 40 },
    );
  });
});

describe('BatchAssembler, of transactions that still run', () => {
  const streamedKinds = ({ payload, streamed }: Batch): string =>
    Array.from(frames(payload, { isStreamed: streamed !== null }), ({ kind }) => String.fromCharCode(kind)).join('');

  it('packs the changes of each by themselves, and their ends in the order of the others', () => {
    const { assembler, batches } = pack();
    const r1 = relation(1);
    assembler.append(Buffer.concat([begin(1), r1, insert(1), commit(1), streamStart(7, true), ofRunning(7, r1)]));
    assembler.append(
      Buffer.concat([ofRunning(7, insert(1)), ofRunning(8, insert(1)), streamStop(), begin(10), commit(10)]),
    );
    assembler.append(Buffer.concat([streamStart(9, true), ofRunning(9, r1), ofRunning(9, insert(1)), streamStop()]));
    assembler.append(Buffer.concat([streamStart(7, false), ofRunning(7, insert(1)), streamStop(), streamAbort(7, 8)]));
    assembler.append(Buffer.concat([streamAbort(9), streamCommit(7, 20), begin(30), insert(1), commit(30)]));
    assembler.flush();
    expect(batches.map((batch) => [batch.streamed, streamedKinds(batch), batch.watermarkLsn])).toEqual([
      [null, 'BRIC', 2n],
      [{ xid: 7, isFirst: true }, 'RII', 2n],
      [null, 'BC', 11n],
      [{ xid: 9, isFirst: true }, 'RI', 11n],
      [{ xid: 7, isFirst: false }, 'RI', 11n],
      [null, 'AAc', 21n],
      [null, 'RBIC', 31n],
    ]);
    expect(batches.some(({ continues }) => continues)).toBe(false);
  });

  it('describes what follows a commit as the transaction was told: the source does not repeat it', () => {
    const { assembler, batches } = pack();
    assembler.append(Buffer.concat([begin(1), relation(1, 'old'), insert(1), commit(1)]));
    assembler.append(
      Buffer.concat([streamStart(7, true), ofRunning(7, relation(1, 'new')), ofRunning(7, insert(1)), streamStop()]),
    );
    assembler.append(
      Buffer.concat([begin(5), insert(1), commit(5), streamCommit(7, 10), begin(20), insert(1), commit(20)]),
    );
    assembler.flush();
    const names = batches.map(({ payload }) => (Buffer.from(payload).includes('new') ? 'new' : 'old'));
    expect(names).toEqual(['old', 'new', 'old', 'new']);
  });

  it('says nothing of one without changes but its position', () => {
    const { assembler, batches } = pack();
    assembler.append(Buffer.concat([streamStart(7, true), streamStop(), streamStart(8, true), streamStop()]));
    assembler.append(Buffer.concat([streamAbort(8), streamCommit(7, 10)]));
    expect(batches.map(({ payload, watermarkLsn, streamed }) => [kinds(payload), watermarkLsn, streamed])).toEqual([
      ['', 11n, null],
    ]);
  });

  it('ends before one that commits at or above the ordered end', () => {
    const { assembler, batches } = pack();
    assembler.stopAt(lsnFromBigInt(20n));
    const block = [streamStart(7, true), ofRunning(7, relation(1)), ofRunning(7, insert(1)), streamStop()];
    assembler.append(Buffer.concat([...block, streamCommit(7, 20), begin(30), commit(30)]));
    expect(assembler.isDrained).toBe(true);
    expect(assembler.isTransactionOpen).toBe(false);
    expect(assembler.finish(lsnFromBigInt(20n))).toBe(20n);
    expect(batches.map((batch) => streamedKinds(batch))).toEqual(['RI', '']);
  });

  it('does not say the position of an idle source inside a block', () => {
    const { assembler } = pack();
    assembler.append(streamStart(7, true));
    expect([assembler.isTransactionOpen, assembler.advanceWatermark(lsnFromBigInt(50n))]).toEqual([true, false]);
    assembler.append(streamStop());
    expect([assembler.isTransactionOpen, assembler.advanceWatermark(lsnFromBigInt(50n))]).toEqual([false, true]);
  });
});

/** Every batch that does not begin inside a frame names the relation of each change before the change. */
function expectReadableAlone(batches: readonly Batch[]): void {
  let isInsideFrame = false;
  for (const { payload, isPartial } of batches) {
    if (!isInsideFrame) {
      const known = new Set<number>();
      const cursor = frames(payload);
      while (cursor.advance()) {
        const oid = Buffer.from(cursor.bytes).readUInt32BE(31);
        if (cursor.kind === MESSAGE_KIND.relation) known.add(oid);
        if (cursor.kind === MESSAGE_KIND.insert) expect(known.has(oid)).toBe(true);
      }
    }
    isInsideFrame = isPartial;
  }
}
