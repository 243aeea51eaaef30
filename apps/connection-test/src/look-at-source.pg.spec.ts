import { describe, expect, it } from '@jest/globals';
import { type CatalogAnswer, type CatalogRequest, ObjectSelection } from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { lookAtSource } from './look-at-source.js';

const FIRST = { after: null, limit: 100 } as const;

const SHOP = `
  CREATE SCHEMA shop; CREATE SCHEMA "odd.one"; CREATE EXTENSION hstore SCHEMA shop;
  CREATE TYPE shop.mood AS ENUM ('ok'); CREATE DOMAIN shop.positive AS int CHECK (VALUE > 0);
  CREATE FUNCTION shop.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION shop.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE TABLE shop.customers (id serial PRIMARY KEY, m shop.mood, h shop.hstore);
  CREATE TABLE shop.orders (id int PRIMARY KEY, customer int REFERENCES shop.customers);
  INSERT INTO shop.orders SELECT g FROM generate_series(1, 1000) g; ANALYZE shop.orders;
  CREATE VIEW shop.shown AS SELECT id FROM shop.orders; CREATE MATERIALIZED VIEW shop.stored AS SELECT id FROM shop.shown;
  CREATE TABLE shop.parts (id int, k int) PARTITION BY LIST (k); CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES IN (1);
  INSERT INTO shop.parts SELECT g, 1 FROM generate_series(1, 500) g; ANALYZE shop.parts_1;
  CREATE TABLE "odd.one"."Say ""100%""" (id int)`;

async function look<Asked extends CatalogRequest>(
  database: TestDatabase,
  request: Asked,
): Promise<Extract<CatalogAnswer, { look: Asked['look'] }>> {
  const answer = await lookAtSource(database.endpoint, request);
  if (answer.look !== request.look) throw new Error(`${answer.look} is no answer to ${request.look}`);
  return answer as Extract<CatalogAnswer, { look: Asked['look'] }>;
}

describe.each<PostgresMajor>([10, 14, 18])('the source on PostgreSQL %i', (major) => {
  it('shows its schemas with what is in them', async () => {
    await using database = await testDatabase({ major, schema: SHOP });
    const { items, next } = await look(database, { ...FIRST, look: 'schemas' });
    expect(items).toEqual([
      { schema: 'odd.one', counts: { table: 1 } },
      { schema: 'shop', counts: { table: 4, view: 1, materialized_view: 1, sequence: 1, function: 1, type: 2 } },
    ]);
    expect(next).toBeNull();
    const page = await look(database, { ...FIRST, look: 'schemas', limit: 1 });
    expect(page).toMatchObject({ items: [{ schema: 'odd.one' }], next: { schema: 'odd.one' } });
    const second = await look(database, { ...FIRST, look: 'schemas', limit: 1, after: page.next });
    expect(second).toMatchObject({ items: [{ schema: 'shop' }], next: null });
  });

  it('shows objects page by page, with estimates and sizes of all partitions', async () => {
    await using database = await testDatabase({ major, schema: SHOP });
    const seen: string[] = [];
    let after: Extract<CatalogRequest, { look: 'objects' }>['after'] = null;
    do {
      const page: Extract<CatalogAnswer, { look: 'objects' }> = await look(database, {
        ...FIRST,
        look: 'objects',
        limit: 3,
        after,
      });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ kind, schema, name }) => `${kind} ${schema}.${name}`));
      after = page.next;
    } while (after);
    expect(seen).toEqual([
      'table odd.one.Say "100%"',
      'table shop.customers',
      'sequence shop.customers_id_seq',
      'function shop.f',
      'type shop.mood',
      'table shop.orders',
      'table shop.parts',
      'table shop.parts_1',
      'type shop.positive',
      'view shop.shown',
      'materialized_view shop.stored',
    ]);
    const { items } = await look(database, { ...FIRST, look: 'objects', schema: 'shop', kind: 'table' });
    const byName = new Map(items.map((item) => [item.name, item]));
    expect(byName.get('orders')).toMatchObject({ rowEstimate: 1000, partitionOf: null });
    expect(byName.get('parts')).toMatchObject({ rowEstimate: 500, partitionOf: null });
    expect(byName.get('parts_1')).toMatchObject({ rowEstimate: 500, partitionOf: { schema: 'shop', name: 'parts' } });
    expect(byName.get('parts')?.bytes).toBe(byName.get('parts_1')?.bytes);
    expect(byName.get('orders')?.bytes).toBeGreaterThan(8192);
  });

  it.each([
    ['SHOP.ORD', ['orders']],
    ['100%', ['Say "100%"']],
    ['_1', ['parts_1']],
    ['odd.one.say', ['Say "100%"']],
    ['nothing', []],
  ])('finds %s among all objects', async (search, expected) => {
    await using database = await testDatabase({ major, schema: SHOP });
    const { items } = await look(database, { ...FIRST, look: 'objects', search });
    expect(items.map(({ name }) => name)).toEqual(expected);
  });

  it('says what a selection needs, with what that needs in turn', async () => {
    await using database = await testDatabase({ major, schema: SHOP });
    const selection = ObjectSelection.parse({
      level: 'table',
      objects: [{ kind: 'materialized_view', schema: 'shop', name: 'stored' }],
    });
    const { closure } = await look(database, { look: 'closure', selection });
    expect(closure.isClosed).toBe(false);
    expect(closure.missing.map(({ name, neededBy }) => `${name} for ${neededBy}`)).toEqual([
      'shown for materialized view "shop"."stored"',
      'orders for view "shop"."shown"',
      'customers for foreign key "orders_customer_fkey" ON "shop"."orders"',
    ]);
    expect(closure.extensions).toEqual(['hstore']);
    expect(closure.brought.map(({ name }) => name).toSorted()).toEqual(['customers_id_seq', 'mood']);
    const whole = ObjectSelection.parse({
      ...selection,
      objects: [...(selection.level === 'table' ? selection.objects : []), ...closure.proposal.objects],
    });
    expect((await look(database, { look: 'closure', selection: whole })).closure).toMatchObject({
      isClosed: true,
      missing: [],
    });
    const patterns = ObjectSelection.parse({
      level: 'database',
      include: ['shop.stored', ...closure.proposal.include],
    });
    expect((await look(database, { look: 'closure', selection: patterns })).closure.isClosed).toBe(true);
  });
});

it('pages, searches and sizes 10,000 tables, and the page costs what a page costs', async () => {
  await using database = await testDatabase();
  await database.query(`DO $$ BEGIN FOR i IN 1..10000 LOOP
    EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, v text)', i);
    IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$`);
  const looks = [
    { ...FIRST, look: 'schemas' },
    { ...FIRST, look: 'objects', schema: 'public', kind: 'table' },
    { ...FIRST, look: 'objects', search: 'many_9999' },
    { ...FIRST, look: 'objects', after: { schema: 'public', name: 'many_5000', kind: 'table' } },
  ] as const;
  const sizes: number[] = [];
  for (const request of looks) {
    sizes.push((await look(database, request)).items.length);
  }
  expect(sizes).toEqual([1, 100, 1, 100]);
}, 120_000);
