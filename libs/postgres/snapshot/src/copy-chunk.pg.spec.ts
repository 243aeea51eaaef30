import { beforeEach, describe, expect, it } from '@jest/globals';
import { type PostgresMajor } from '@sluice/embedded';
import { ZERO_LSN } from '@sluice/model';
import { readTables, readVersionNum } from '@sluice/postgres-catalog';
import { connect } from '@sluice/postgres-client';
import { testDatabase, type TestDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import {
  connectSource,
  connectTarget,
  copyChunk,
  holdPlainSnapshot,
  openLedger,
  planChunks,
  readCopyProgress,
  readOpenChunks,
  recordSnapshot,
  startTables,
} from './index.js';

interface Prepared extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly chunkIds: readonly string[];
  copy(chunkId: string, options?: Partial<Parameters<typeof copyChunk>[1]>): ReturnType<typeof copyChunk>;
}

let taskId = '';
beforeEach(() => {
  taskId = randomUUID();
});

/** Both databases with the schema, rows in the source, a held snapshot and planned chunks. */
async function prepare(options: {
  schema: string;
  rows: string;
  major?: PostgresMajor;
  targetMajor?: PostgresMajor;
  targetEncoding?: string;
  chunkBytes?: number;
  text?: boolean;
}): Promise<Prepared> {
  const stack = new AsyncDisposableStack();
  const major = options.major === undefined ? {} : { major: options.major };
  const targetMajor = options.targetMajor ?? options.major;
  const source = stack.use(await testDatabase({ ...major, schema: `${options.schema}; ${options.rows}` }));
  const { schema, targetEncoding: encoding = 'UTF8' } = options;
  const target = stack.use(
    await testDatabase({ ...(targetMajor !== undefined && { major: targetMajor }), schema, encoding }),
  );
  const [reader, writer] = [await source.connect(), await target.connect()];
  const snapshot = stack.use(await holdPlainSnapshot(source.endpoint, reader));
  await openLedger(writer, taskId);
  await recordSnapshot(writer, taskId, { ...snapshot, generation: 1 });
  const targetTables = await readTables(writer);
  const sourceVersionNum = await readVersionNum(reader);
  const starts = (await readTables(reader)).map((table) => ({
    schema: table.schema,
    name: table.name,
    chunks: planChunks(table, {
      sourceVersionNum,
      chunkBytes: options.chunkBytes ?? 64 * 1024 * 1024,
      onTarget: options.text ? undefined : targetTables.find(({ name }) => name === table.name),
    }),
  }));
  await startTables(writer, { taskId, generation: 1, startLsn: ZERO_LSN }, starts);
  const chunkIds = await readOpenChunks(writer, taskId);
  return {
    source,
    target,
    chunkIds,
    async copy(chunkId, more = {}) {
      await using from = await connectSource(source.endpoint, { applicationName: 'copy' });
      await using to = await connectTarget(target.endpoint, { applicationName: 'copy' });
      return await copyChunk({ source: from, target: to }, { chunkId, ...more });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const BIG = {
  schema: 'CREATE TABLE big (id int PRIMARY KEY, filler text)',
  rows: `INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 5000) AS i; DELETE FROM big WHERE id % 7 = 0`,
  chunkBytes: 256 * 1024,
};

const EVERY_TYPE = {
  schema: `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN posint AS int CHECK (VALUE > 0);
    CREATE TABLE every_type (id bigint GENERATED ALWAYS AS IDENTITY, b bool, i2 int2, n numeric, f4 float4, f8 float8, m money,
      t text, v varchar(20), c char(5), bin bytea, d date, ts timestamp, tz timestamptz, ti time, tiz timetz, iv interval,
      u uuid, j json, jb jsonb, x xml, ip inet, net cidr, mac macaddr, bits bit(3), vb bit varying, p point, bx box, l line,
      r int4range, tr tstzrange, arr int[], tarr text[], e mood, pr pair, po posint, tsv tsvector, q tsquery, o oid, lsn pg_lsn,
      "we""ird näme" text, g int GENERATED ALWAYS AS (i2 * 2) STORED)`,
  rows: `INSERT INTO every_type (b, i2, n, f4, f8, m, t, v, c, bin, d, ts, tz, ti, tiz, iv, u, j, jb, x, ip, net, mac, bits, vb,
      p, bx, l, r, tr, arr, tarr, e, pr, po, tsv, q, o, lsn, "we""ird näme")
    VALUES (true, 7, 'NaN', 'Infinity', 0.1, '12.34', E'tab\\t back\\\\ nl\\n é😀', '', 'ab', '\\x00ff5c', '0044-03-15 BC', 'infinity',
      '2024-02-29 23:59:59.999999+05:45', '24:00', '12:00:00+14', '1 mon -2 days 03:04:05.6', '00000000-0000-0000-0000-000000000001',
      '{"a" : 1.00, "a": 2}', '{"b": [1e400]}', '<a>&lt;</a>', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '101', '1',
      '(1,2)', '((0,0),(1,1))', '{1,2,3}', 'empty', '[2024-01-01,)', '[0:1]={1,NULL}', '{"a,b","\\"q\\"",NULL}', 'ok', '(1,"x y")', 5,
      'a:1 b:2', 'a & !b', 4294967295, 'FF/1', '\\N'),
      (NULL, NULL, 1234567890.0123456789012345678900, '-0', 'NaN', NULL, '\\.', NULL, NULL, '', NULL, '-infinity', NULL, NULL, NULL, NULL, NULL,
      NULL, 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
};

async function rowsAsText(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ row: string }>(`SELECT t::text AS row FROM ${table} AS t ORDER BY 1`);
  return rows.map(({ row }) => row);
}

describe('copyChunk', () => {
  it.each([
    ['binary', { text: false }],
    ['text', { text: true }],
    ['text from 12 to 18', { text: true, major: 12 as PostgresMajor, targetMajor: 18 as PostgresMajor }],
    ['the best form from 12 to 18', { text: false, major: 12 as PostgresMajor, targetMajor: 18 as PostgresMajor }],
  ])('moves every type unchanged as %s', async (_, form) => {
    await using load = await prepare({ ...EVERY_TYPE, ...form });
    for (const chunkId of load.chunkIds) expect(await load.copy(chunkId)).toMatchObject({ kind: 'copied', rows: 2 });
    expect(await rowsAsText(load.target, 'every_type')).toEqual(await rowsAsText(load.source, 'every_type'));
  });

  it('copies each row of a divided table exactly once, and none that came after the snapshot', async () => {
    await using load = await prepare(BIG);
    expect(load.chunkIds.length).toBeGreaterThan(5);
    const before = await rowsAsText(load.source, 'big');
    await load.source.query(
      `INSERT INTO big SELECT i, 'late' FROM generate_series(10000, 12000) AS i; UPDATE big SET filler = 'new'`,
    );
    for (const chunkId of load.chunkIds) await load.copy(chunkId);
    expect(await rowsAsText(load.target, 'big')).toEqual(before);
  });

  it('does nothing the second time, nor for a chunk that is gone', async () => {
    await using load = await prepare({ schema: 'CREATE TABLE t (a int)', rows: 'INSERT INTO t VALUES (1)' });
    const [chunkId = ''] = load.chunkIds;
    await load.copy(chunkId);
    expect(await load.copy(chunkId)).toEqual({ kind: 'nothing-to-do' });
    expect(await load.copy(randomUUID())).toEqual({ kind: 'nothing-to-do' });
    expect(await rowsAsText(load.target, 't')).toEqual(['(1)']);
  });

  it('leaves nothing when it dies between the rows and the commit', async () => {
    await using load = await prepare({ schema: 'CREATE TABLE t (a int)', rows: 'INSERT INTO t VALUES (1)' });
    const [chunkId = ''] = load.chunkIds;
    const died = load.copy(chunkId, { passing: () => Promise.reject(new Error('killed here')) });
    await expect(died).rejects.toThrow('killed here');
    expect(await rowsAsText(load.target, 't')).toEqual([]);
    expect(await readCopyProgress(await load.target.connect(), taskId, 0)).toMatchObject({ chunksDone: 0 });
    expect(await load.copy(chunkId)).toMatchObject({ rows: 1 });
  });

  it('stops in the middle of a table when it is told to', async () => {
    await using load = await prepare({
      schema: 'CREATE TABLE t (a text)',
      rows: `INSERT INTO t SELECT repeat(md5(i::text), 30) FROM generate_series(1, 30000) i`,
    });
    const [chunkId = ''] = load.chunkIds;
    const locker = await load.target.connect();
    await locker.query('BEGIN; LOCK TABLE t IN ACCESS SHARE MODE');
    const controller = new AbortController();
    const copying = load.copy(chunkId, { signal: controller.signal });
    controller.abort();
    await locker.query('ROLLBACK');
    await expect(copying).rejects.toMatchObject({ name: 'AbortError' });
    expect(await load.copy(chunkId)).toMatchObject({ rows: 30_000 });
  });

  it('reads on only when its throttle lets it', async () => {
    await using load = await prepare({ ...BIG, chunkBytes: 64 * 1024 * 1024 });
    let [passed, reads, owed] = [0, 0, 0];
    const throttle = {
      passed: (bytes: number) => {
        expect(owed).toBe(0);
        [passed, reads, owed] = [passed + bytes, reads + 1, 2];
      },
      waitMs: () => (owed > 0 ? owed-- : 0),
    };
    const copied = await load.copy(load.chunkIds[0] ?? '', { throttle });
    expect(copied).toMatchObject({ rows: 4286 });
    expect(reads).toBeGreaterThan(10);
    expect(passed).toBeGreaterThan(copied.kind === 'copied' ? copied.bytes : Infinity);
    expect(await rowsAsText(load.target, 'big')).toEqual(await rowsAsText(load.source, 'big'));
  });

  it('stops while its throttle makes it wait, and leaves nothing', async () => {
    await using load = await prepare(BIG);
    const [chunkId = ''] = load.chunkIds;
    const controller = new AbortController();
    const throttle = {
      passed: () => expect('read').toBe('held up'),
      waitMs: () => {
        controller.abort();
        return 60_000;
      },
    };
    const copying = load.copy(chunkId, { throttle, signal: controller.signal });
    await expect(copying).rejects.toMatchObject({ name: 'AbortError' });
    expect(await rowsAsText(load.target, 'big')).toEqual([]);
    expect(await load.copy(chunkId)).toMatchObject({ kind: 'copied' });
  });

  it('names the table when the target refuses a row', async () => {
    await using load = await prepare({ schema: 'CREATE TABLE t (a int)', rows: 'INSERT INTO t VALUES (1), (-1)' });
    await load.target.query('ALTER TABLE t ADD CHECK (a > 0)');
    await expect(load.copy(load.chunkIds[0] ?? '')).rejects.toMatchObject({
      code: 'SLUICE-3004',
      detail: expect.stringContaining('"public"."t"'),
    });
  });

  it.each([
    ['binary', false],
    ['text', true],
  ])('names the row whose %s has characters that the target does not', async (_, text) => {
    await using load = await prepare({
      schema: 'CREATE TABLE t (id int, v text)',
      rows: `INSERT INTO t SELECT i, CASE i WHEN 700 THEN '€' ELSE 'é' END FROM generate_series(1, 999) AS i`,
      targetEncoding: 'LATIN1',
      text,
    });
    await expect(load.copy(load.chunkIds[0] ?? '')).rejects.toMatchObject({
      code: 'SLUICE-3004',
      detail: expect.stringMatching(/^"public"\."t", row 700.*: character .* has no equivalent in encoding "LATIN1"$/),
    });
  });

  it.each([
    ['rewritten', 'VACUUM FULL t'],
    ['truncated', 'TRUNCATE t'],
    ['dropped', 'DROP TABLE t'],
  ])('does not trust the snapshot for a table that was %s meanwhile', async (_, statement) => {
    await using load = await prepare({ schema: 'CREATE TABLE t (a int)', rows: 'INSERT INTO t VALUES (1), (2)' });
    await load.source.query(statement);
    await expect(load.copy(load.chunkIds[0] ?? '')).rejects.toMatchObject({ code: 'SLUICE-3003' });
  });

  it.each([
    ['is gone', "snapshot_name = '00000003-0000001B-1'"],
    ['has its name reused by another one', "visible_xids = '1:1:'"],
  ])('says that the snapshot %s', async (_, change) => {
    await using load = await prepare({ schema: 'CREATE TABLE t (a int)', rows: 'INSERT INTO t VALUES (1)' });
    await load.target.query(`UPDATE sluice.load SET ${change}`);
    await expect(load.copy(load.chunkIds[0] ?? '')).rejects.toMatchObject({ code: 'SLUICE-3003' });
  });

  it('copies tables without columns, and not the rows of children', async () => {
    await using load = await prepare({
      schema: 'CREATE TABLE bare (); CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent)',
      rows: 'INSERT INTO bare DEFAULT VALUES; INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)',
    });
    for (const chunkId of load.chunkIds) await load.copy(chunkId);
    expect(await rowsAsText(load.target, 'bare')).toHaveLength(1);
    expect(await rowsAsText(load.target, 'ONLY parent')).toEqual(['(1)']);
    expect(await rowsAsText(load.target, 'parent')).toEqual(['(1)', '(2)']);
  });

  it('goes over one pair of sessions as often as wanted', async () => {
    await using load = await prepare(BIG);
    await using from = await connect(load.source.endpoint, { applicationName: 'copy' });
    await using to = await connect(load.target.endpoint, { applicationName: 'copy' });
    for (const chunkId of load.chunkIds) {
      await copyChunk({ source: from, target: to }, { chunkId });
    }
    expect(await rowsAsText(load.target, 'big')).toEqual(await rowsAsText(load.source, 'big'));
    expect(from.listenerCount('error')).toBe(1);
  });
});
