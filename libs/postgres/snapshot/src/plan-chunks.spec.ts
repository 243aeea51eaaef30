import { describe, expect, it } from '@jest/globals';
import { type TableFacts } from '@sluice/postgres-catalog';
import { planChunks } from './plan-chunks.js';

const BLOCK_BYTES = 8192;

function table(heapBlocks: number, columns: Partial<TableFacts['columns'][number]>[] = [{ name: 'id' }]): TableFacts {
  const facts = { schema: 's', name: 't', heapBlocks, heapBytes: heapBlocks * BLOCK_BYTES };
  const full = columns.map((column) => ({
    typeSchema: 'pg_catalog',
    typeName: 'int4',
    isBinaryCopySafe: true,
    isGenerated: false,
    ...column,
  }));
  return { ...facts, columns: full } as unknown as TableFacts;
}

const options = (onTarget: TableFacts, sourceVersionNum = 150_000) => ({
  sourceVersionNum,
  chunkBytes: 100 * BLOCK_BYTES,
  onTarget,
});

describe('planChunks', () => {
  it.each([0, 1, 99, 149, 150, 1000, 12_345])('covers each of %i blocks once and leaves the end open', (blocks) => {
    const chunks = planChunks(table(blocks), options(table(blocks)));
    expect(chunks[0]?.fromBlock).toBeNull();
    expect(chunks.at(-1)?.toBlock).toBeNull();
    chunks.slice(1).forEach((chunk, index) => expect(chunk.fromBlock).toBe(chunks[index]?.toBlock));
    chunks.slice(1, -1).forEach(({ fromBlock, toBlock }) => expect(Number(toBlock)).toBeGreaterThan(Number(fromBlock)));
  });

  it('lets only the single chunk of a table that is not tiny own it', () => {
    expect(planChunks(table(130), options(table(130))).map(({ ownsTable }) => ownsTable)).toEqual([true]);
    expect(planChunks(table(10), options(table(10))).map(({ ownsTable }) => ownsTable)).toEqual([false]);
    expect(planChunks(table(200), options(table(200))).map(({ ownsTable }) => ownsTable)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('does not divide where the server would read the whole table for each range', () => {
    expect(planChunks(table(10_000), options(table(10_000), 130_000))).toHaveLength(1);
  });

  it('leaves generated columns out', () => {
    const facts = table(1, [{ name: 'a' }, { name: 'g', isGenerated: true, isBinaryCopySafe: false }]);
    expect(planChunks(facts, options(facts))[0]).toMatchObject({ columns: ['a'], isBinary: true });
  });

  it.each([
    ['a type is not safe', { isBinaryCopySafe: false }, {}],
    ['the target has another type', {}, { typeName: 'int8' }],
    ['the target lacks the column', {}, { name: 'other' }],
  ])('copies as text when %s', (_, onSource, onTarget) => {
    const [chunk] = planChunks(
      table(1, [{ name: 'a', ...onSource }]),
      options(table(1, [{ name: 'a', ...onSource, ...onTarget }])),
    );
    expect(chunk?.isBinary).toBe(false);
  });
});
