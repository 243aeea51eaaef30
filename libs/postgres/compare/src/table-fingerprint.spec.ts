import { describe, expect, it } from '@jest/globals';
import { type ComparableTable } from './comparable-tables.js';
import { CHUNK_BYTES, type HashChunk, planHashChunks } from './table-fingerprint.js';

const GIB = 1024 ** 3;

function table(bytes: number, blocks = bytes / 8192): ComparableTable {
  return { name: { schema: 's', name: 't' }, columns: [], keyColumns: [], blocks, bytes };
}

function plan(of: ComparableTable, major = 18): HashChunk[] {
  return planHashChunks(of, { major, chunkBytes: CHUNK_BYTES });
}

describe('planHashChunks', () => {
  it.each([
    { name: 'an empty table', bytes: 0, major: 18, count: 1 },
    { name: 'a small table', bytes: 8192, major: 18, count: 1 },
    { name: 'a large table', bytes: GIB, major: 14, count: 4 },
    { name: 'a large table of a server without ctid range scans', bytes: GIB, major: 13, count: 1 },
  ])('cuts $name in $count', ({ bytes, major, count }) => {
    expect(plan(table(bytes), major)).toHaveLength(count);
  });

  it('covers every block once and leaves the end open', () => {
    const chunks = plan(table(3 * GIB + 8192));
    chunks.slice(1).forEach((chunk, index) => expect(chunk.fromBlock).toBe(chunks[index]?.toBlock));
    expect(chunks[0]?.fromBlock).toBe(0);
    expect(chunks.at(-1)?.toBlock).toBeNull();
    expect(chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)).toBeCloseTo(3 * GIB + 8192);
  });

  it('makes chunks of few blocks when the values stand in TOAST', () => {
    expect(plan(table(GIB, 4)).map(({ fromBlock }) => fromBlock)).toEqual([0, 1, 2, 3]);
  });
});
