import { describe, expect, it } from '@jest/globals';
import { POSTGRES_MAJORS } from '@sluice/embedded';
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

describe('sample schemas and traffic', () => {
  it.each(POSTGRES_MAJORS)('load on PostgreSQL %i', async (major) => {
    const partitioned = major >= 11 ? PARTITIONED : '';
    const schema = [ORDERS, KEYLESS, QUOTED_NAMES, partitioned, everyType(major)].join('\n');
    await using database = await testDatabase({ major, schema });
    await database.query(
      'CREATE PUBLICATION p FOR TABLE shop.orders, keyless.audit, keyless.by_index, keyless.insert_only',
    );
    const client = await database.connect();
    const committedCount = await sampleTraffic(client, { seed: major, transactions: 20 });
    expect(committedCount).toBeGreaterThan(10);
    await expectSameRows(database, database);
  });
});
