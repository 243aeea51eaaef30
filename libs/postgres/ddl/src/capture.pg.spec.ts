import { describe, expect, it } from '@jest/globals';
import { POSTGRES_MAJORS } from '@sluice/embedded';
import { testDatabase } from '@sluice/testing';
import { captureDdl, takePlans } from './spec-source.js';

describe('DDL capture', () => {
  it.each(POSTGRES_MAJORS)('captures a statement on a server of major %d', async (major) => {
    await using source = await testDatabase({ major });
    const client = await captureDdl(source);
    await source.query('CREATE TABLE orders (id serial PRIMARY KEY, item text DEFAULT $$ä$$)');
    expect(await takePlans(source, client)).toMatchObject([
      { kind: 'command', command: { tag: 'CREATE TABLE', createdTables: [{ name: 'orders' }] } },
    ]);
  });
});
