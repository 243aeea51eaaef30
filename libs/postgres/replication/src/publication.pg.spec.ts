import { describe, expect, it } from '@jest/globals';
import { type PostgresMajor } from '@sluice/embedded';
import { testDatabase } from '@sluice/testing';
import { publishedTableOids, requirePublication, unpublishedTables } from './publication.js';

const SCHEMA = `
  CREATE TABLE listed (id int);
  CREATE TABLE missing (id int);
  CREATE TABLE root (id int) PARTITION BY LIST (id);
  CREATE TABLE leaf PARTITION OF root FOR VALUES IN (1);
  CREATE UNLOGGED TABLE cache (id int);
  CREATE TEMPORARY TABLE scratch (id int);
  CREATE SCHEMA sluice;
  CREATE TABLE sluice.load (id int);
  CREATE MATERIALIZED VIEW summary AS SELECT 1;
  CREATE PUBLICATION p FOR TABLE ONLY listed;`;

describe.each<PostgresMajor>([12, 18])('on PostgreSQL %s', (major) => {
  it('names the tables whose rows are stored and logged, and not published', async () => {
    await using database = await testDatabase({ major, schema: SCHEMA });
    const client = await database.connect();
    await requirePublication(client, 'p');
    const unpublished = await unpublishedTables(client, 'p');
    expect(unpublished.map(({ schema, name }) => `${schema}.${name}`)).toEqual(['public.leaf', 'public.missing']);
    expect(await publishedTableOids(client, 'p')).toHaveLength(1);
    await client.query('ALTER PUBLICATION p ADD TABLE ONLY missing, ONLY leaf');
    expect(await unpublishedTables(client, 'p')).toEqual([]);
  });

  it('finds nothing missing in a publication of all tables, and everything in one that is not there', async () => {
    await using database = await testDatabase({ major, schema: `${SCHEMA} CREATE PUBLICATION every FOR ALL TABLES` });
    const client = await database.connect();
    expect(await unpublishedTables(client, 'every')).toEqual([]);
    expect(await unpublishedTables(client, 'none')).toHaveLength(3);
    await expect(requirePublication(client, 'none')).rejects.toMatchObject({ code: 'SLUICE-4005' });
  });

  it('answers as of the snapshot of the transaction', async () => {
    await using database = await testDatabase({ major, schema: SCHEMA });
    const client = await database.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1');
    await database.query('ALTER PUBLICATION p ADD TABLE missing; CREATE TABLE later (id int)');
    const unpublished = await unpublishedTables(client, 'p');
    expect(unpublished.map(({ name }) => name)).toEqual(['leaf', 'missing']);
  });
});
