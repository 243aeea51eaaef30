import { describe, expect, it } from '@jest/globals';
import { ObjectSelection, parsePattern, patternOf } from '@sluice/contracts';
import { judgeObjects, matches } from './object-selection.js';

const table = (schema: string, name: string, ...ancestors: [string, string][]) => ({
  schema,
  name,
  ancestors: ancestors.map(([above, root]) => ({ schema: above, name: root })),
});

describe('patterns', () => {
  it.each([
    ['public.orders', 'public', 'orders', true],
    ['public.orders', 'public', 'Orders', false],
    ['public.Orders', 'public', 'orders', false],
    ['*.log', 'any thing', 'log', true],
    ['public.*', 'public', '', true],
    ['public.*_log*', 'public', 'a_log_b_log', true],
    ['public.*a*a*a*b', 'public', 'a'.repeat(63), false],
    ['public.tmp_?', 'public', 'tmp_1', true],
    ['public.tmp_?', 'public', 'tmp_', false],
    ['public.tmp_?', 'public', 'tmp_12', false],
    ['public.?', 'public', '😀', true],
    ['"a.b"."c*"', 'a.b', 'c*', true],
    ['"a.b"."c*"', 'a.b', 'cd', false],
    ['"say ""hi"""."x"', 'say "hi"', 'x', true],
    ['s."2024-"?*', 's', '2024-11', true],
    ['größe.naïve*', 'größe', 'naïveté', true],
    ['a.b', 'a', 'bb', false],
    ['a.b', 'aa', 'b', false],
  ])('%s on %s.%s: %s', (...row) => {
    const [pattern, schema, name, expected] = row;
    const parsed = parsePattern(pattern);
    expect(matches(parsed.schema, schema) && matches(parsed.name, name)).toBe(expected);
  });

  it.each([
    ['orders', 'a pattern is schema.name'],
    ['a.b.c', 'a pattern is schema.name'],
    ['', 'a pattern is schema.name'],
    ['.b', 'the schema is missing'],
    ['a.', 'the name is missing'],
    ['a."b', 'a double quote is not closed'],
    ['a.""', 'nothing between the double quotes'],
    ['a. b', 'white space stands in double quotes'],
  ])('refuses %s: %s', (pattern, message) => {
    const found = ObjectSelection.safeParse({ level: 'database', exclude: ['a.b', pattern] });
    expect(found.error?.issues.map(({ path }) => path.join('.'))).toEqual(['exclude.1']);
    expect(found.error?.issues[0]?.message).toContain(message);
  });

  it.each([
    ['plain', 'name'],
    ['with.dot', 'a*b?'],
    ['say "hi"', ' '],
    ['größe', '1'],
  ])('write exactly %s.%s', (schema, name) => {
    const parsed = parsePattern(patternOf({ schema, name }));
    expect(matches(parsed.schema, schema) && matches(parsed.name, name)).toBe(true);
    expect([...parsed.schema, ...parsed.name].every(({ kind }) => kind === 'literal')).toBe(true);
  });
});

describe('a selection', () => {
  it.each([
    [{ level: 'table' }, 'objects'],
    [{ level: 'table', objects: [], include: [] }, 'include'],
    [{ level: 'table', objects: [{ kind: 'table', schema: 'a', name: '' }] }, 'objects.0.name'],
    [{ level: 'table', objects: [{ kind: 'table', schema: 'a', name: 'x'.repeat(64) }] }, 'objects.0.name'],
    [{ level: 'table', objects: [{ kind: 'table', schema: 'ä'.repeat(32), name: 'x' }] }, 'objects.0.schema'],
    [{ level: 'table', objects: [{ kind: 'index', schema: 'a', name: 'b' }] }, 'objects.0.kind'],
    [{ level: 'table', objects: [{ kind: 'table', schema: 'a', name: 'b\0' }] }, 'objects.0.name'],
    [{ level: 'database', include: ['a."\ud800"'] }, 'include.0'],
    [{ level: 'database', objects: [] }, ''],
    [
      {
        level: 'table',
        objects: [
          { kind: 'view', schema: 'a', name: 'b' },
          { kind: 'view', schema: 'a', name: 'b' },
        ],
      },
      'objects.1',
    ],
  ])('%j is refused at %s', (selection, path) => {
    const found = ObjectSelection.safeParse(selection);
    expect(found.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it('of database level takes everything, also what comes later', () => {
    const judge = judgeObjects({ level: 'database' });
    expect(judge.isEverything).toBe(true);
    expect(judge.selects({ kind: 'other', schema: 'a', name: 'b' })).toBe(true);
    expect(judge.joins(table('a', 'b'))).toBe(true);
    expect(judge.mayHold('a')).toBe(true);
  });

  it('of database level with patterns takes what matches, also of what comes later', () => {
    const judge = judgeObjects({
      level: 'database',
      include: ['sales.*', 'hr.people'],
      exclude: ['sales.tmp_*', '*.log', 'old.*'],
    });
    expect(judge.isEverything).toBe(false);
    expect(judge.selectsTable(table('sales', 'orders'))).toBe(true);
    expect(judge.joins(table('sales', 'orders'))).toBe(true);
    expect(judge.selectsTable(table('sales', 'tmp_1'))).toBe(false);
    expect(judge.selectsTable(table('hr', 'pay'))).toBe(false);
    expect(['sales', 'hr', 'old', 'public'].filter(judge.mayHold)).toEqual(['sales', 'hr']);
  });

  it('of table level takes what is listed; later only what is listed by its own name', () => {
    const judge = judgeObjects({
      level: 'table',
      objects: [
        { kind: 'schema', schema: 'sales' },
        { kind: 'table', schema: 'hr', name: 'people' },
        { kind: 'view', schema: 'hr', name: 'pay' },
      ],
      include: ['log.*'],
      exclude: ['sales.tmp_*'],
    });
    const tables = [
      table('sales', 'orders'),
      table('sales', 'tmp_1'),
      table('hr', 'people'),
      table('hr', 'pay'),
      table('log', 'l'),
    ];
    expect(tables.filter(judge.selectsTable).map(({ name }) => name)).toEqual(['orders', 'people', 'l']);
    expect(tables.filter(judge.joins).map(({ name }) => name)).toEqual(['people']);
    expect(judge.selects({ kind: 'view', schema: 'hr', name: 'pay' })).toBe(true);
    expect(['sales', 'hr', 'log', 'public'].filter(judge.mayHold)).toEqual(['sales', 'hr', 'log']);
  });

  it('takes partitions with the table above them, and leaves them out with it', () => {
    const judge = judgeObjects({ level: 'database', exclude: ['public.log', 'public.orders_*'] });
    expect(judge.selectsTable(table('public', 'orders_1', ['public', 'orders']))).toBe(true);
    expect(judge.selectsTable(table('public', 'log_1_a', ['public', 'log_1'], ['public', 'log']))).toBe(false);
    const listed = judgeObjects({ level: 'table', objects: [{ kind: 'table', schema: 'public', name: 'orders' }] });
    expect(listed.joins(table('other', 'p1', ['public', 'orders']))).toBe(true);
    expect(listed.selectsTable(table('other', 'p1'))).toBe(false);
  });
});
