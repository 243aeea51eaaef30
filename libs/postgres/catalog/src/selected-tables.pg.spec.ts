import { describe, expect, it } from '@jest/globals';
import { ObjectSelection } from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { judgeObjects, type ObjectJudge } from '@sluice/model';
import { testDatabase } from '@sluice/testing';
import { readSelectedTables, readSequences, SequenceLooks } from './index.js';

const SCHEMA = `
  CREATE SCHEMA log;
  CREATE TABLE orders (id serial PRIMARY KEY, no int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE log.entries (id serial PRIMARY KEY);
  CREATE SEQUENCE log.shared; CREATE TABLE uses (n int DEFAULT nextval('log.shared'));
  CREATE SEQUENCE alone; CREATE SEQUENCE log.alone;
  CREATE TABLE root (id int, k int) PARTITION BY LIST (id);
  CREATE TABLE log.middle PARTITION OF root FOR VALUES IN (1) PARTITION BY LIST (k);
  CREATE TABLE log.leaf PARTITION OF log.middle FOR VALUES IN (1)`;
const judge = (selection: unknown): ObjectJudge => judgeObjects(ObjectSelection.parse(selection));
const LISTED = judge({
  level: 'table',
  objects: [
    { kind: 'table', schema: 'public', name: 'root' },
    { kind: 'sequence', schema: 'log', name: 'alone' },
  ],
});
const WITHOUT_LOG = judge({ level: 'database', exclude: ['log.*'] });

describe.each<PostgresMajor>([10, 18])('on PostgreSQL %i', (major) => {
  it.each([
    ['patterns', WITHOUT_LOG, ['log.leaf', 'log.middle', 'public.orders', 'public.root', 'public.uses']],
    ['a list', LISTED, ['log.leaf', 'log.middle', 'public.root']],
    ['patterns that leave out a root', judge({ level: 'database', exclude: ['public.*'] }), ['log.entries']],
  ])('tables by %s, with the partitions of all depths', async (_, selected, expected) => {
    await using database = await testDatabase({ major, schema: SCHEMA });
    const tables = await readSelectedTables(await database.connect(), selected);
    expect(tables.map(({ schema, name }) => `${schema}.${name}`)).toEqual(expected);
  });

  it.each([
    ['patterns', WITHOUT_LOG, ['log.shared', 'public.alone', 'public.orders_id_seq', 'public.orders_no_seq']],
    ['a list', LISTED, ['log.alone']],
  ])('sequences by %s, with those that selected tables own or use', async (_, selected, expected) => {
    await using database = await testDatabase({ major, schema: SCHEMA });
    const choice = { judge: selected, publicationName: null };
    const client = await database.connect();
    for (const states of [await readSequences(client, choice), await new SequenceLooks(choice).look(client)])
      expect(states.map(({ schema, name }) => `${schema}.${name}`)).toEqual(expected);
  });

  it('sequences of a published table, whatever its name is now', async () => {
    await using database = await testDatabase({
      major,
      schema: `${SCHEMA}; CREATE PUBLICATION p FOR TABLE orders; ALTER TABLE orders SET SCHEMA log`,
    });
    const states = await readSequences(await database.connect(), { judge: WITHOUT_LOG, publicationName: 'p' });
    expect(states.map(({ schema, name }) => `${schema}.${name}`)).toEqual([
      'log.orders_id_seq',
      'log.orders_no_seq',
      'log.shared',
      'public.alone',
    ]);
  });
});
