import { describe, expect, it } from '@jest/globals';
import { COPY_BYTES, CopyMemory } from './copy-memory.js';
import { TextCopyRows } from './text-copy-rows.js';
import { type PlanColumn, TEXT_WIRE } from './table-plan.js';

const column = (position: number): PlanColumn => ({
  typeOid: 25,
  name: `c${position}`,
  typeSql: 'text',
  input: null,
  outputSql: 'pg_catalog.textout',
  isGenerated: false,
  isIdentityAlways: false,
  position,
  operator: '=',
  wire: TEXT_WIRE,
});

/** null → null, undefined → unchanged TOAST. */
function tuple(...cells: (string | null | undefined)[]): { buffer: Buffer; offset: number } {
  const parts = [Buffer.from([0xff, 0, cells.length])];
  for (const cell of cells) {
    if (typeof cell !== 'string') parts.push(Buffer.from(cell === null ? 'n' : 'u'));
    else {
      const length = Buffer.alloc(4);
      length.writeInt32BE(Buffer.byteLength(cell));
      parts.push(Buffer.from('t'), length, Buffer.from(cell));
    }
  }
  return { buffer: Buffer.concat(parts), offset: 1 };
}

function textOf(rows: TextCopyRows): string {
  const message = rows.finish();
  expect(message.toString('latin1', 0, 1)).toBe('d');
  expect(message.readInt32BE(1)).toBe(message.length - 1);
  return message.toString('utf8', 5);
}

describe('TextCopyRows', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['\\N', '\\\\N'],
    ['\\.', '\\\\.'],
    ['a\tb\nc\rd\\', 'a\\tb\\nc\\rd\\\\'],
    ['ü🙂\b\f\v', 'ü🙂\b\f\v'],
    ['x'.repeat(300), 'x'.repeat(300)],
    ['\t'.repeat(300), '\\t'.repeat(300)],
  ])('writes %j so that the server reads the same', (value, written) => {
    const rows = new TextCopyRows([column(0), column(1)], Buffer.alloc(8));
    rows.add([tuple(value, null)]);
    expect(textOf(rows)).toBe(`${written}\t\\N\n`);
  });

  it('leaves out columns that are not written, wherever they stand', () => {
    const rows = new TextCopyRows([column(1), column(3)], Buffer.alloc(1024));
    rows.add([tuple('a', 'b', 'c', 'd', 'e')]);
    rows.add([tuple(null, null, null, null, null)]);
    expect(textOf(rows)).toBe('b\td\n\\N\t\\N\n');
    expect(rows.count).toBe(2);
  });

  it('takes a cell that the newest version lacks from an older one', () => {
    const rows = new TextCopyRows([column(0), column(1)], Buffer.alloc(1024));
    rows.add([tuple('old', 'toast\n'), tuple('newer', undefined), tuple('new', undefined)]);
    expect(textOf(rows)).toBe('new\ttoast\\n\n');
  });

  it('grows for a row larger than its memory, which is not kept for reuse', () => {
    const memory = new CopyMemory();
    const rows = new TextCopyRows([column(0)], memory.take(1_000));
    rows.add([tuple('y'.repeat(2 * COPY_BYTES))]);
    expect(textOf(rows)).toHaveLength(2 * COPY_BYTES + 1);
    memory.giveBack(rows.memory);
    expect(memory.take(1_000).length).toBeLessThan(rows.memory.length);
    const spare = memory.take(1_000);
    memory.giveBack(spare);
    expect(memory.take(1_000)).toBe(spare);
  });

  it.each([
    ['plain', 'y'],
    ['with line ends', 'yyyyyyy\n'],
  ])('takes no more memory for a large cell than its text has: %s', (_, part) => {
    const cell = part.repeat((4 * COPY_BYTES) / part.length);
    const rows = new TextCopyRows([column(0)], Buffer.alloc(8));
    rows.add([tuple(cell)]);
    expect(textOf(rows)).toBe(`${cell.replaceAll('\n', '\\n')}\n`);
    expect(rows.memory.length).toBe(rows.sizeBytes);
  });
});
