import { describe, expect, it } from '@jest/globals';
import { describeDifferences } from './comparison-report.js';

describe('describeDifferences', () => {
  it('names tables, keys and columns', () => {
    const table = { schema: 'shop', name: 'orders' };
    const key = { kind: 'primary-key', values: { id: '7', region: 'eu' } } as const;
    const lines = describeDifferences({
      equal: false,
      rowCount: 3n,
      tables: [
        { kind: 'equal', table: { schema: 'shop', name: 'same' }, rowCount: 3n },
        { kind: 'only-in-source', table: { schema: 'shop', name: 'lost' } },
        { kind: 'columns-differ', table, columnsOnlyInSource: ['a'], columnsOnlyInTarget: ['b'] },
        {
          kind: 'rows-differ',
          table,
          sourceRowCount: 4n,
          targetRowCount: 3n,
          rows: [
            { kind: 'differs', key, columns: ['price'] },
            { kind: 'only-in-source', key },
            { kind: 'copies-differ', key: { kind: 'row-hash', hash: 'ab' }, sourceCopies: 2, targetCopies: 1 },
          ],
        },
      ],
      sequences: [
        { sequence: { schema: 'shop', name: 'ids' }, source: { lastValue: '1', isCalled: false }, target: null },
      ],
    });
    expect(lines).toEqual([
      'shop.lost: only in source',
      'shop.orders: column a only in source, column b only in target',
      'shop.orders: content differs (4 rows in source, 3 in target)',
      '  id=7, region=eu: differs in price',
      '  id=7, region=eu: only in source',
      '  row with hash ab: 2 × in source, 1 × in target',
      'sequence shop.ids: 1 (not called) in source, missing in target',
    ]);
  });
});
