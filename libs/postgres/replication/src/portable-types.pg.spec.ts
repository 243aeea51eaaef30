import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { binaryTypeOids, portableTypeOids } from './portable-types.js';

const INTERVAL_OID = 1186;

describe('binaryTypeOids', () => {
  it.each([
    [15, 'a int, b jsonb, c int8range', true],
    [15, 'a int, b interval', true],
    [18, 'a int, b timestamptz', true],
    [18, 'a int, b interval', false],
    [15, 'a int, b money', false],
    [15, 'a int, b int[]', false],
    [15, 'a int, b regclass', false],
    [13, 'a int', false],
  ] as const)('PostgreSQL %s, (%s): %s', async (major, columns, isBinary) => {
    await using database = await testDatabase({
      major,
      schema: `CREATE TABLE t (${columns}); CREATE TABLE other (x xml); CREATE PUBLICATION p FOR TABLE t`,
    });
    const oids = await binaryTypeOids(await database.connect(), 'p');
    expect(oids).toEqual(isBinary ? portableTypeOids(major) : null);
  });

  it('leaves intervals out where they can be infinite', () => {
    expect(portableTypeOids(16).has(INTERVAL_OID)).toBe(true);
    expect(portableTypeOids(17).has(INTERVAL_OID)).toBe(false);
  });
});
