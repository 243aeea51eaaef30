import { describe, expect, it } from '@jest/globals';
import { type PostgresMajor } from '@sluice/embedded';
import { connect } from '@sluice/postgres-client';
import { testDatabase } from '@sluice/testing';
import { compareDatabases, type CompareOptions } from './compare-databases.js';
import { type ComparisonReport, describeDifferences } from './comparison-report.js';

interface Case {
  readonly source: string;
  readonly target: string;
  readonly majors?: readonly [PostgresMajor, PostgresMajor];
  readonly options?: CompareOptions;
}

async function compare({ source, target, majors, options }: Case): Promise<ComparisonReport> {
  await using left = await testDatabase({ schema: source, ...(majors && { major: majors[0] }) });
  await using right = await testDatabase({ schema: target, ...(majors && { major: majors[1] }) });
  return await compareDatabases(await left.connect(), await right.connect(), options);
}

const differences = async (asked: Case): Promise<string[]> => describeDifferences(await compare(asked));

const ITEMS = 'CREATE TABLE item (id int PRIMARY KEY, name text, price numeric);';
const THREE = `INSERT INTO item VALUES (1, 'pen', 1.5), (2, 'ink', 4), (3, NULL, 0);`;
const BAG = 'CREATE TABLE bag (a text, b text);';

describe('compareDatabases', () => {
  it('finds equal databases equal, whatever the order of rows and columns', async () => {
    const report = await compare({
      source: ITEMS + THREE,
      target: `CREATE TABLE item (price numeric, id int PRIMARY KEY, gone int, name text);
               ALTER TABLE item DROP COLUMN gone;
               INSERT INTO item (id, name, price) VALUES (3, NULL, 0), (2, 'ink', 4), (1, 'pen', 1.5);`,
    });
    expect(report).toEqual({
      equal: true,
      rowCount: 3n,
      tables: [{ kind: 'equal', table: { schema: 'public', name: 'item' }, rowCount: 3n }],
      sequences: [],
    });
  });

  it.each<{ name: string; source: string; target: string; found: string[] }>([
    {
      name: 'one cell',
      source: ITEMS + THREE,
      target: `${ITEMS + THREE} UPDATE item SET price = 4.0 WHERE id = 2`,
      found: ['public.item: content differs (3 rows in source, 3 in target)', '  id=2: differs in price'],
    },
    {
      name: 'a missing and an additional row',
      source: ITEMS + THREE,
      target: `${ITEMS + THREE} DELETE FROM item WHERE id = 1; INSERT INTO item VALUES (9, 'cap', 1)`,
      found: [
        'public.item: content differs (3 rows in source, 3 in target)',
        expect.stringMatching(/^ {2}id=(1: only in source|9: only in target)$/),
        expect.stringMatching(/^ {2}id=(1: only in source|9: only in target)$/),
      ] as string[],
    },
    {
      name: 'the number of duplicates in a table without key',
      source: `${BAG} INSERT INTO bag VALUES ('x', 'y'), ('x', 'y'), ('p', 'q')`,
      target: `${BAG} INSERT INTO bag VALUES ('x', 'y'), ('p', 'q'), ('p', 'q')`,
      found: [
        'public.bag: content differs (3 rows in source, 3 in target)',
        expect.stringMatching(/row with hash [0-9a-f]{32}: (2 × in source, 1|1 × in source, 2) × in target/),
        expect.stringMatching(/row with hash [0-9a-f]{32}: (2 × in source, 1|1 × in source, 2) × in target/),
      ] as string[],
    },
    {
      name: 'two pairs of duplicates, which XOR would cancel',
      source: `${BAG} INSERT INTO bag VALUES ('x', 'x'), ('x', 'x')`,
      target: `${BAG} INSERT INTO bag VALUES ('y', 'y'), ('y', 'y')`,
      found: [
        'public.bag: content differs (2 rows in source, 2 in target)',
        expect.stringMatching(/only in (source|target)$/),
        expect.stringMatching(/only in (source|target)$/),
      ] as string[],
    },
    {
      name: 'NULL and the empty string',
      source: `${ITEMS} INSERT INTO item VALUES (1, NULL, 1)`,
      target: `${ITEMS} INSERT INTO item VALUES (1, '', 1)`,
      found: ['public.item: content differs (1 rows in source, 1 in target)', '  id=1: differs in name'],
    },
    {
      name: 'text that looks alike',
      source: `${BAG} INSERT INTO bag VALUES ('a', 'b,c')`,
      target: `${BAG} INSERT INTO bag VALUES ('a,b', 'c')`,
      found: [
        'public.bag: content differs (1 rows in source, 1 in target)',
        expect.stringMatching(/only in (source|target)$/),
        expect.stringMatching(/only in (source|target)$/),
      ] as string[],
    },
    {
      name: 'values whose type has no equality',
      source: `CREATE TABLE doc (id int PRIMARY KEY, j json, x xml, p point); INSERT INTO doc VALUES (1, '{"a":1}', '<a/>', '(1,2)')`,
      target: `CREATE TABLE doc (id int PRIMARY KEY, j json, x xml, p point); INSERT INTO doc VALUES (1, '{"a": 1}', '<a/>', '(1,2)')`,
      found: ['public.doc: content differs (1 rows in source, 1 in target)', '  id=1: differs in j'],
    },
    {
      name: 'trailing blanks and padding',
      source: `CREATE TABLE c (id int PRIMARY KEY, a char(5), b text); INSERT INTO c VALUES (1, 'a', 'b')`,
      target: `CREATE TABLE c (id int PRIMARY KEY, a char(6), b text); INSERT INTO c VALUES (1, 'a', 'b ')`,
      found: ['public.c: content differs (1 rows in source, 1 in target)', '  id=1: differs in a, b'],
    },
    {
      name: 'a generated column whose expression differs',
      source:
        'CREATE TABLE g (id int PRIMARY KEY, d int GENERATED ALWAYS AS (id * 2) STORED); INSERT INTO g VALUES (1)',
      target:
        'CREATE TABLE g (id int PRIMARY KEY, d int GENERATED ALWAYS AS (id * 3) STORED); INSERT INTO g VALUES (1)',
      found: ['public.g: content differs (1 rows in source, 1 in target)', '  id=1: differs in d'],
    },
    {
      name: 'names that need quotes, and a composite key',
      source: `CREATE SCHEMA "Sché.ma"; CREATE TABLE "Sché.ma"."t ""x" ("K 1" int, k2 text, "select" text, PRIMARY KEY (k2, "K 1"));
               INSERT INTO "Sché.ma"."t ""x" VALUES (1, 'é', 'a')`,
      target: `CREATE SCHEMA "Sché.ma"; CREATE TABLE "Sché.ma"."t ""x" ("K 1" int, k2 text, "select" text, PRIMARY KEY (k2, "K 1"));
               INSERT INTO "Sché.ma"."t ""x" VALUES (1, 'é', 'b')`,
      found: ['Sché.ma.t "x: content differs (1 rows in source, 1 in target)', '  k2=é, K 1=1: differs in select'],
    },
    {
      name: 'tables and columns of one side only',
      source: 'CREATE TABLE a (id int); CREATE TABLE b (id int, x int)',
      target: 'CREATE TABLE c (id int); CREATE TABLE b (id int, y int)',
      found: [
        'public.a: only in source',
        'public.b: column x only in source, column y only in target',
        'public.c: only in target',
      ],
    },
    {
      name: 'a row of an unlogged table',
      source: 'CREATE UNLOGGED TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)',
      target: 'CREATE UNLOGGED TABLE u (id int PRIMARY KEY)',
      found: ['public.u: content differs (1 rows in source, 0 in target)', '  id=1: only in source'],
    },
  ])('finds $name', async ({ source, target, found }) => {
    expect(await differences({ source, target })).toEqual(found);
  });

  it('compares partitions once, through the leaves, and inheriting tables each by itself', async () => {
    const schema = `
      CREATE TABLE p (id int, a text) PARTITION BY LIST (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
      CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (a);
      CREATE TABLE p2x PARTITION OF p2 FOR VALUES IN ('x');
      INSERT INTO p VALUES (1, 'a'), (2, 'x');
      CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent);
      INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);
      CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;`;
    const report = await compare({ source: schema, target: schema });
    expect(report.tables.map(({ kind, table }) => [table.name, kind])).toEqual(
      ['child', 'nothing', 'p1', 'p2x', 'parent'].map((name) => [name, 'equal']),
    );
    expect(report.rowCount).toBe(5n);
    const roots = await compare({
      source: schema,
      target: schema,
      options: { tables: [{ schema: 'public', name: 'p' }] },
    });
    expect(roots.tables.map(({ table }) => table.name)).toEqual(['p1', 'p2x']);
  });

  it('compares only the tables asked for, and refuses names that nobody knows', async () => {
    const source = 'CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO b VALUES (1)';
    const target = 'CREATE TABLE a (id int); CREATE TABLE b (id int)';
    const only = (name: string): CompareOptions => ({ tables: [{ schema: 'public', name }] });
    expect((await compare({ source, target, options: only('a') })).equal).toBe(true);
    expect((await compare({ source, target, options: only('b') })).equal).toBe(false);
    await expect(compare({ source, target, options: only('z') })).rejects.toMatchObject({ code: 'SLUICE-6002' });
  });

  it('compares sequences when asked to', async () => {
    // What a task keeps in its helper schema is no data, and not to be shown.
    const helper = `sluice_${'0f'.repeat(16)}`;
    const source = `CREATE SEQUENCE s; CREATE SEQUENCE t; SELECT nextval('s'); CREATE SCHEMA ${helper}; CREATE SEQUENCE ${helper}.secret_1`;
    const target = 'CREATE SEQUENCE s; CREATE SEQUENCE u';
    expect(await differences({ source, target })).toEqual([]);
    expect(await differences({ source, target, options: { sequences: true } })).toEqual([
      'sequence public.s: 1 in source, 1 (not called) in target',
      'sequence public.t: 1 (not called) in source, missing in target',
      'sequence public.u: missing in source, 1 (not called) in target',
    ]);
  });

  it('narrows a large table down to the rows that differ and reports progress', async () => {
    const rows = (more: string): string => `
      CREATE TABLE big (id int PRIMARY KEY, v text);
      INSERT INTO big SELECT i, md5(i::text) FROM generate_series(1, 60000) AS i; ${more}`;
    const shares: number[] = [];
    const found = await differences({
      source: rows(''),
      target: rows("UPDATE big SET v = 'other' WHERE id IN (77, 4711, 59999); DELETE FROM big WHERE id = 31000"),
      options: { onProgress: ({ bytesDone, bytesTotal }) => shares.push(bytesDone / bytesTotal) },
    });
    expect(found[0]).toBe('public.big: content differs (60000 rows in source, 59999 in target)');
    expect(found.slice(1).toSorted()).toEqual([
      '  id=31000: only in source',
      '  id=4711: differs in v',
      '  id=59999: differs in v',
      '  id=77: differs in v',
    ]);
    expect(shares).toEqual([expect.closeTo(0.5, 1), 1]);
  });

  it('counts every row once when tables are hashed in chunks by several sessions', async () => {
    const schema = 'CREATE TABLE big AS SELECT i AS id, repeat(i::text, 5) AS v FROM generate_series(1, 30000) AS i';
    await using left = await testDatabase({ major: 18, schema });
    await using right = await testDatabase({ major: 14, schema: `${schema} ORDER BY i DESC` });
    const tables = new Set<string>();
    let chunkCount = 0;
    const report = await compareDatabases(await left.connect(), await right.connect(), {
      chunkBytes: 128 * 1024,
      parallel: { sessionCount: 3, source: left.endpoint, target: right.endpoint },
      onProgress: ({ table }) => {
        chunkCount += 1;
        tables.add(table.name);
      },
    });
    expect(report).toMatchObject({ equal: true, rowCount: 30_000n });
    expect([...tables]).toEqual(['big']);
    expect(chunkCount).toBeGreaterThan(20);
  });

  it('names no more rows than asked for', async () => {
    const found = await differences({
      source: `${ITEMS} INSERT INTO item SELECT i, 'x', i FROM generate_series(1, 100) AS i`,
      target: ITEMS,
      options: { differingRowsMax: 3 },
    });
    expect(found).toHaveLength(4);
  });

  it.each<{ majors: readonly [PostgresMajor, PostgresMajor] }>([{ majors: [15, 18] }, { majors: [10, 18] }])(
    'finds values of all kinds equal from $majors.0 to $majors.1',
    async ({ majors }) => {
      const schema = `
        CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TABLE v (id int PRIMARY KEY, f4 real, f8 double precision, fa double precision[], p point, n numeric,
          ts timestamptz, i interval, by bytea, j json, jb jsonb, x xml, m money, a text[], e mood, c pair, d positive,
          r int4range, u uuid, ip inet, b bit(3), tv tsvector, o oid, bo boolean, ch "char");
        INSERT INTO v VALUES (1, 0.1, 1.0/3.0, '{0.1,NaN,-Infinity}', '(0.1,1e300)', 'NaN',
          '2024-02-29 23:59:59.123456+05:45', '1 mon -2 days 03:04:05.6', '\\x00ff', '{"a" : 1}', '{"b":2}', '<a>1</a>', 12.5,
          '{a,NULL,"x,y"}', 'ok', '(1,"q,r")', 5, '[1,5)', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1/8', B'101',
          'a:1 b:2', 4294967295, true, 'x'),
          (2, 'NaN', 'Infinity', NULL, NULL, NULL, 'infinity', NULL, '', NULL, NULL, NULL, NULL, '{}', NULL, NULL, NULL,
          'empty', NULL, NULL, NULL, '', 0, false, NULL);`;
      expect(await differences({ source: schema, target: schema, majors })).toEqual([]);
    },
  );

  it('works on sessions in parallel that share the snapshot of the first', async () => {
    const schema = ITEMS + THREE + BAG;
    await using left = await testDatabase({ schema });
    await using right = await testDatabase({ schema });
    const parallel = { sessionCount: 3, source: left.endpoint, target: right.endpoint };
    expect((await compareDatabases(await left.connect(), await right.connect(), { parallel })).equal).toBe(true);
    const open = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'sluice comparison%' AND datname = $1";
    expect(await left.query(open, [left.name])).toEqual([]);
  });

  it('leaves both sessions free of a transaction, also when it fails', async () => {
    await using left = await testDatabase({ schema: ITEMS });
    await using right = await testDatabase({ schema: ITEMS });
    const [source, target] = [await left.connect(), await right.connect()];
    const aborted = compareDatabases(source, target, { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    // VACUUM is refused inside a transaction.
    await source.query('VACUUM item');
    await target.query('VACUUM item');
  });

  it('fails instead of comparing what row-level security leaves', async () => {
    const schema = `${ITEMS + THREE} ALTER TABLE item ENABLE ROW LEVEL SECURITY; GRANT SELECT ON item TO PUBLIC`;
    await using left = await testDatabase({ schema });
    const reader = await left.createRole();
    await using source = await connect(reader, { applicationName: 'spec' });
    await expect(compareDatabases(source, await left.connect())).rejects.toThrow(/row-level security/);
  });
});
