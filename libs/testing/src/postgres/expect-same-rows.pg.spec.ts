import { describe, expect, it } from '@jest/globals';
import {
  everyType,
  expectSameRows,
  KEYLESS,
  ORDERS,
  PARTITIONED,
  QUOTED_NAMES,
  sampleTraffic,
  testDatabase,
} from '../index.js';

const SHAPES = [ORDERS, KEYLESS, PARTITIONED, QUOTED_NAMES].join('\n');

describe('expectSameRows', () => {
  it('accepts equal databases of every sample schema', async () => {
    const schema = `${SHAPES}\n${everyType(17)}`;
    await using source = await testDatabase({ schema });
    await using target = await testDatabase({ schema });
    await expectSameRows(source, target);
  });

  it('accepts equal rows on PostgreSQL 10 and 18, which write floats differently', async () => {
    await using source = await testDatabase({ major: 10, schema: everyType(10) });
    await using target = await testDatabase({ major: 18, schema: everyType(10) });
    await expectSameRows(source, target);
    await target.query(`UPDATE every.type SET "c double precision" = 0.10000000000000002 WHERE id = 7`);
    await expect(expectSameRows(source, target)).rejects.toThrow('every.type');
  });

  it.each([
    ['a changed value', "UPDATE shop.orders SET note = 'changed' WHERE id = 7", 'shop.orders'],
    ['an empty text instead of NULL', "UPDATE shop.orders SET note = '' WHERE id = 7", 'shop.orders'],
    ['a missing row', 'DELETE FROM shop.order_items WHERE order_id = 3 AND line_no = 2', 'shop.order_items'],
    [
      'a duplicate too few',
      'DELETE FROM keyless.insert_only WHERE ctid = (SELECT min(ctid) FROM keyless.insert_only)',
      'keyless.insert_only',
    ],
    [
      'another order of json keys',
      `UPDATE keyless.audit SET payload = '{"a": 2, "a": 1}' WHERE ctid = '(0,5)'`,
      'keyless.audit',
    ],
    ['a row of a table without columns', 'INSERT INTO keyless.no_columns DEFAULT VALUES', 'keyless.no_columns'],
    [
      'a row in a partition',
      'UPDATE parts.measurements SET value = value + 1e-9 WHERE sensor = 5',
      'parts.measurements',
    ],
    [
      'a row under a quoted name',
      `UPDATE "Sch""ema.with dot"."select" SET "a.b" = NULL WHERE "order" = 1`,
      '"Sch""ema.with dot"."select"',
    ],
    ['a missing table', 'DROP TABLE parts.users', 'parts.users: the target has no such table'],
    ['a missing column', 'ALTER TABLE parts.users DROP COLUMN name', 'parts.users: columns differ'],
  ])('names the table of %s', async (_what, change, expected) => {
    await using source = await testDatabase({ schema: SHAPES });
    await using target = await testDatabase({ schema: SHAPES });
    await target.query(change.replace('min(ctid)', '(array_agg(ctid))[1]'));
    await expect(expectSameRows(source, target)).rejects.toThrow(`source and target differ\n${expected}`);
  });

  it('shows the rows of both sides', async () => {
    await using source = await testDatabase({
      schema: 'CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, NULL)',
    });
    await using target = await testDatabase({
      schema: "CREATE TABLE t (b text, a int); INSERT INTO t VALUES ('x', 1)",
    });
    await expect(expectSameRows(source, target)).rejects.toThrow(
      /public\.t: .*\n {2}source {2}\(1,\)\n {2}target {2}\(1,x\)/,
    );
  });
});

describe('sampleTraffic', () => {
  it('does the same for the same seed, and something else for another', async () => {
    const run = async (seed: number) => {
      const database = await testDatabase({ schema: SHAPES });
      await sampleTraffic(await database.connect(), { seed, transactions: 100 });
      return database;
    };
    await using first = await run(1);
    await using second = await run(1);
    await using other = await run(2);
    await expectSameRows(first, second);
    await expect(expectSameRows(first, other)).rejects.toThrow('shop.orders');
  });
});
