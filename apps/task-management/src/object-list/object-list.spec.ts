import { describe, expect, it } from '@jest/globals';
import { type ListedObject } from '@sluice/contracts';

import { formatCsv, parseCsv } from './csv.js';
import { exportObjects, importObjects } from './import-export.js';
import { parseObjectList } from './object-list.js';
import { formatXlsx, parseXlsx } from './xlsx.js';
import { packZip, unpackZip } from './zip.js';

const ODD: readonly ListedObject[] = [
  { kind: 'schema', schema: 'sales' },
  { kind: 'schema', schema: 'a.b' },
  { kind: 'table', schema: 'public', name: 'orders' },
  { kind: 'view', schema: 'public', name: 'Orders' },
  { kind: 'table', schema: 'odd.one', name: 'say "hi", \'x\'; y' },
  { kind: 'table', schema: '=cmd|x', name: '-1+2' },
  { kind: 'table', schema: '@x', name: '*' },
  { kind: 'table', schema: 'größe', name: 'two\nlines\r' },
  { kind: 'function', schema: 's', name: '_x0041_ & <b>' },
  { kind: 'type', schema: 's', name: '\u0001\ttab' },
  { kind: 'table', schema: ' s ', name: ' ' },
];

function refusalOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

const text = (value: string): Uint8Array => Buffer.from(value, 'utf8');
const parse = (csv: string): ReturnType<typeof parseObjectList> => parseObjectList(parseCsv(text(csv)));

describe.each(['csv', 'xlsx'] as const)('a list as %s', (format) => {
  it('is read again as it was written, whatever the names are', () => {
    const bytes = exportObjects({ level: 'table', objects: [...ODD] }, format);
    const selection = importObjects(bytes, { format, present: { level: 'database', exclude: ['a.b'] } });
    expect(selection).toEqual({ level: 'table', objects: ODD });
  });

  it('keeps the patterns of a task at table level', () => {
    const bytes = exportObjects({ level: 'table', objects: [...ODD] }, format);
    const present = { level: 'table' as const, objects: [], include: ['a.*'], exclude: ['b.*'] };
    expect(importObjects(bytes, { format, present })).toMatchObject({ include: ['a.*'], exclude: ['b.*'] });
  });

  it('names every wrong line with its number, and nothing is taken', () => {
    const rows = [
      ['source'],
      ['a.b'],
      ['a'],
      ['', ''],
      ['a.b'],
      ['a.c', 'x.c'],
      ['a.d', '', 'index'],
      ['a.e', 'a.e'],
      ['a.*f'],
      ['a.b.c'],
    ];
    const bytes = format === 'csv' ? text(formatCsv(rows)) : formatXlsx(rows);
    const refusal = refusalOf(() => importObjects(bytes, { format, present: { level: 'database' } }));
    expect(refusal).toMatchObject({
      code: 'SLUICE-6001',
      detail: expect.stringContaining('6 lines are wrong, and nothing was taken'),
      errors: [
        { path: 'line 3', message: expect.stringContaining('schema.name') },
        { path: 'line 5', message: 'the same object is in line 2' },
        { path: 'line 6', message: expect.stringContaining('names are not mapped') },
        { path: 'line 7', message: expect.stringContaining('kind is none of') },
        { path: 'line 9', message: expect.stringContaining('not patterns') },
        { path: 'line 10', message: expect.stringContaining('schema.name') },
      ],
    });
  });
});

describe('CSV', () => {
  it.each([
    ['a.b\na.c', [1, 2]],
    ['a.b\r\n\r\na.c\r\n', [1, 2, 3]],
    ['a.b;;\na.c;;', [1, 2]],
    ['a.b\t\t\na.c', [1, 2]],
    ['\ufeffsource,target\na.b', [1, 2]],
    ['"a.""b\n""",,\na.c', [1, 3]],
  ])('%j has lines %j', (csv, numbers) => {
    expect(parseCsv(text(csv)).map(({ number }) => number)).toEqual(numbers);
  });

  it('counts lines inside of quotes, as an editor does', () => {
    expect(parse('"a.""b\nc"""\nwrong')).toEqual({ ok: false, errors: [{ line: 3, message: expect.any(String) }] });
  });

  it.each([
    ['"a.b', 'a double quote is not closed'],
    ['\xff', 'UTF-8'],
  ])('%j is refused: %s', (csv, message) => {
    expect(() => parseCsv(Buffer.from(csv, 'latin1'))).toThrow(message);
  });

  it('begins no cell as a formula', () => {
    const csv = Buffer.from(exportObjects({ level: 'table', objects: [...ODD] }, 'csv')).toString('utf8');
    const cells = parseCsv(text(csv)).flatMap((line) => line.cells);
    expect(cells.filter((cell) => /^[=+\-@\t\r|%]/.test(cell))).toEqual([]);
  });
});

describe('a workbook', () => {
  const parts = (sheet: string, strings?: string): Uint8Array =>
    packZip(
      [
        [
          'xl/workbook.xml',
          '<workbook xmlns:r="r"><sheets><sheet r:id="rId7"/><sheet r:id="rId1"/></sheets></workbook>',
        ],
        [
          'xl/_rels/workbook.xml.rels',
          '<Relationships><Relationship Id="rId7" Target="/xl/worksheets/sheet2.xml"/></Relationships>',
        ],
        ['xl/worksheets/sheet2.xml', `<x:worksheet xmlns:x="x"><x:sheetData>${sheet}</x:sheetData></x:worksheet>`],
        ...(strings === undefined ? [] : [['xl/sharedStrings.xml', strings]]),
      ].map(([name = '', xml = '']) => ({ name, bytes: text(xml) })),
    );

  it('as spreadsheets write it: shared strings, rich text, gaps, formulas by their value', () => {
    const bytes = parts(
      `<x:row r="2"><x:c r="A2" t="s"><x:v>1</x:v></x:c><x:c r="C2" t="s"><x:v>0</x:v></x:c></x:row>
       <x:row r="7"><x:c r="A7" t="str"><x:f>"a"&amp;".b"</x:f><x:v>a.b</x:v></x:c><x:c r="B7"><x:v>5</x:v></x:c></x:row>`,
      '<sst><si><t>view</t></si><si><r><t>sa</t></r><r><t>les.x</t></r><rPh><t>no</t></rPh></si></sst>',
    );
    expect(parseXlsx(bytes)).toEqual([
      { number: 2, cells: ['sales.x', '', 'view'] },
      { number: 7, cells: ['a.b', '5'] },
    ]);
  });

  it.each([
    ['no archive', text('a,b'), 'it is no workbook'],
    ['an archive of something else', packZip([{ name: 'x', bytes: text('x') }]), 'cannot be read'],
    ['XML with an entity of its own', parts('<x:row><x:c t="str"><x:v>&bomb;</x:v></x:c></x:row>'), 'no XML'],
    ['broken XML', parts('<x:row>'), 'no XML'],
    ['a cut archive', formatXlsx([['a.b']]).subarray(0, 300), 'it is no workbook'],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => parseXlsx(bytes)).toThrow(message);
  });

  it('that unpacks to gigabytes is refused before it does, whatever it says of its size', () => {
    const bomb = Buffer.from(packZip([{ name: 'xl/workbook.xml', bytes: Buffer.alloc(40 * 1024 * 1024) }]));
    expect(bomb.length).toBeLessThan(100 * 1024);
    const end = bomb.length - 22;
    bomb.writeUInt32LE(100, bomb.readUInt32LE(end + 16) + 24);
    expect(() => unpackZip(bomb)).toThrow('larger than 32 MiB unpacked');
  });

  it('that holds the same part many times counts it each time', () => {
    const entries = Array.from({ length: 5 }, (_, index) => ({
      name: `p${index}`,
      bytes: Buffer.alloc(8 * 1024 * 1024),
    }));
    expect(() => unpackZip(packZip(entries))).toThrow('larger than 32 MiB unpacked');
  });
});
