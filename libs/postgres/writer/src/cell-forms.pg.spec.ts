import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Client } from '@sluice/postgres-client';
import { portableTypeOids } from '@sluice/postgres-replication';
import {
  expectSameRows,
  type RecordedTransaction,
  startRecording,
  takeRecorded,
  testDatabase,
  type TestDatabase,
} from '@sluice/testing';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { TextFormNeeded } from './apply-failure.js';
import { ensureCheckpointTable } from './checkpoint.js';
import { type SourceTransaction } from './source-transaction.js';
import { TargetSession } from './target-session.js';

const BINARY = { slot: 'binary_recorder', binary: true };

interface Target {
  readonly database: TestDatabase;
  readonly session: TargetSession;
}

/** A source that is recorded in both forms, and as many targets as are asked for. */
class Sides implements AsyncDisposable {
  private constructor(
    readonly source: TestDatabase,
    readonly recorder: Client,
    readonly targets: readonly Target[],
  ) {}

  static async create(
    schema: string,
    options: { targetSchema?: string; targetCount?: number; sourceMajor?: 15 | 18; targetMajor?: 15 | 18 } = {},
  ): Promise<Sides> {
    const { targetSchema = schema, targetCount = 1, sourceMajor = 15, targetMajor = 15 } = options;
    const source = await testDatabase({ schema, major: sourceMajor });
    const recorder = await source.connect();
    await startRecording(recorder);
    await startRecording(recorder, BINARY);
    const targets = await Promise.all(
      Array.from({ length: targetCount }, async () => {
        const database = await testDatabase({ schema: targetSchema, major: targetMajor });
        const taskId = randomUUID();
        await ensureCheckpointTable(await database.connect());
        await database.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/0']);
        return { database, session: await TargetSession.open(database.endpoint, { taskId }) };
      }),
    );
    return new Sides(source, recorder, targets);
  }

  async run(statements: readonly string[]): Promise<{ text: SourceTransaction[]; binary: SourceTransaction[] }> {
    for (const statement of statements) await this.recorder.query(statement);
    return {
      text: (await takeRecorded(this.recorder)).map(asTransaction),
      binary: (await takeRecorded(this.recorder, BINARY)).map(asTransaction),
    };
  }

  target(index: number): Target {
    const target = this.targets[index];
    if (!target) throw new Error(`no target ${index}`);
    return target;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session, database } of this.targets) {
      await session.close();
      await database[Symbol.asyncDispose]();
    }
    await this.source[Symbol.asyncDispose]();
  }
}

function asTransaction({ frames, ...transaction }: RecordedTransaction): SourceTransaction {
  return { ...transaction, runs: [{ buffer: frames, start: 0, end: frames.length }], sizeBytes: frames.length };
}

async function applyOneByOne(session: TargetSession, transactions: readonly SourceTransaction[]): Promise<void> {
  for (const transaction of transactions) {
    const large = session.beginLarge('exact');
    await large.write(transaction);
    await large.commit(transaction);
  }
}

describe('cells in text and in binary form', () => {
  describe('random changes', () => {
    const SCHEMA = `
      CREATE TABLE t (id int PRIMARY KEY, toast text, n numeric(12, 3), at timestamptz, j jsonb, v varchar(40));
      ALTER TABLE t ALTER toast SET STORAGE EXTERNAL`;
    const ids = fc.integer({ min: 1, max: 12 });
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('insert' as const), id: ids }),
      fc.record({ kind: fc.constant('update' as const), id: ids, toasts: fc.boolean(), nulls: fc.boolean() }),
      fc.record({ kind: fc.constant('delete' as const), id: ids }),
      fc.record({ kind: fc.constant('move' as const), id: ids, to: ids }),
      fc.record({ kind: fc.constant('fill' as const), count: fc.integer({ min: 30, max: 80 }) }),
      fc.record({ kind: fc.constant('clear' as const) }),
    );
    type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
    const transactions = fc.array(fc.array(operation, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 });

    let sides: Sides;
    beforeAll(async () => {
      sides = await Sides.create(SCHEMA, { targetCount: 3 });
    });
    afterAll(() => sides[Symbol.asyncDispose]());

    const row = (id: string): string =>
      `SELECT ${id}, CASE WHEN ${id} % 4 = 0 THEN repeat(md5((${id})::text), 100) ELSE E'a\\tb\\n\\\\' END,
              (${id}) / 3.0, '2024-02-29 12:34:56.789012+00'::timestamptz, jsonb_build_object('k', ${id}), NULL`;

    /** A statement that changes no row is one, too; what would violate the key is left out. */
    function statementOf(change: Operation): string {
      switch (change.kind) {
        case 'insert':
          return `INSERT INTO t ${row(String(change.id))} ON CONFLICT DO NOTHING`;
        case 'update': {
          const toast = change.toasts ? ", toast = repeat('long', 800)" : '';
          return `UPDATE t SET n = coalesce(n, 0) + 0.5, v = ${change.nulls ? 'NULL' : "coalesce(v, '') || 'x'"}${toast} WHERE id = ${change.id}`;
        }
        case 'delete':
          return `DELETE FROM t WHERE id = ${change.id}`;
        case 'move':
          return `UPDATE t SET id = ${change.to} WHERE id = ${change.id} AND NOT EXISTS (SELECT FROM t WHERE id = ${change.to})`;
        case 'fill':
          return `INSERT INTO t SELECT r.* FROM generate_series(100, 99 + ${change.count}) g, LATERAL (${row('g')}) AS r ON CONFLICT DO NOTHING`;
        case 'clear':
          return 'DELETE FROM t WHERE id >= 100';
      }
    }

    it('leave the same rows whether folded or written one by one, from text or from binary cells', async () => {
      await fc.assert(
        fc.asyncProperty(transactions, async (changes) => {
          const { text, binary } = await sides.run([
            'TRUNCATE t',
            ...changes.map((operations) => `BEGIN; ${operations.map(statementOf).join('; ')}; COMMIT`),
          ]);
          await sides.target(0).session.applyTransactions(text);
          await applyOneByOne(sides.target(1).session, text);
          try {
            await sides.target(2).session.applyTransactions(binary);
          } catch (error) {
            if (!(error instanceof TextFormNeeded)) throw error;
            await sides.target(2).session.applyTransactions(text);
          }
          for (const { database } of sides.targets) await expectSameRows(sides.source, database);
        }),
        { numRuns: 40 },
      );
    }, 120_000);
  });

  it.each([
    [15, 15],
    [15, 18],
    [18, 15],
  ] as const)('carries every portable type byte for byte in binary from PostgreSQL %s to %s', async (from, to) => {
    const columns = Object.entries(PORTABLE_SAMPLES).filter(([type]) => from < 17 || type !== 'interval');
    const count = Math.max(...columns.map(([, values]) => values.length));
    const schema = `CREATE TABLE t (id int PRIMARY KEY, ${columns.map(([type], index) => `c${index} ${type}`).join(', ')})`;
    await using sides = await Sides.create(schema, { sourceMajor: from, targetMajor: to });
    const rows = Array.from({ length: count }, (_, at) => {
      const cells = columns.map(([type, values]) => `${values[at % values.length] ?? 'NULL'}::${type}`);
      return `INSERT INTO t VALUES (${[at + 1, ...cells].join(', ')})`;
    });
    const types = await sides.source.query<{ oid: number }>(
      "SELECT DISTINCT atttypid AS oid FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0",
    );
    expect(new Set(types.map(({ oid }) => oid))).toEqual(portableTypeOids(from));
    const all = columns.map((_, index) => `c${index}`).join(', ');
    const { binary } = await sides.run([
      ...rows,
      `INSERT INTO t SELECT id + 100 * g, ${all} FROM t, generate_series(1, 30) g`,
      'INSERT INTO t (id) VALUES (-1)',
      'UPDATE t SET id = id + 10000 WHERE id < 50; UPDATE t SET c0 = c0',
      'DELETE FROM t WHERE id % 7 = 0',
    ]);
    await sides.target(0).session.applyTransactions(binary);
    await expectSameRows(sides.source, sides.target(0).database);
  });

  it.each([
    ['another type', 'CREATE TABLE t (id bigint PRIMARY KEY, v text)'],
    ['a domain', 'CREATE DOMAIN d AS int; CREATE TABLE t (id d PRIMARY KEY, v text)'],
  ])('asks for text where a column of the target has %s', async (_, targetSchema) => {
    await using sides = await Sides.create('CREATE TABLE t (id int PRIMARY KEY, v text)', { targetSchema });
    const { text, binary } = await sides.run(["INSERT INTO t SELECT g, 'v' FROM generate_series(1, 100) g"]);
    const { session, database } = sides.target(0);
    await expect(session.applyTransactions(binary)).rejects.toThrow(TextFormNeeded);
    expect(await database.query('SELECT FROM t')).toEqual([]);
    await session.applyTransactions(text);
    expect(await database.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 100 }]);
  });

  it.each([
    {
      what: 'a conflict',
      schema: 'CREATE TABLE t (id int PRIMARY KEY, v text)',
      statement: 'INSERT INTO t VALUES (1)',
      byHand: 'INSERT INTO t VALUES (1)',
    },
    {
      what: 'an update without a key, where the target has a column of its own',
      schema: 'CREATE TABLE t (id int, v text); ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1)',
      statement: 'UPDATE t SET v = 1',
      byHand: 'ALTER TABLE t ADD COLUMN own text',
    },
  ])('asks for text where rows are written one by one: $what', async ({ schema, statement, byHand }) => {
    await using sides = await Sides.create(schema);
    const { session, database } = sides.target(0);
    await database.query(byHand);
    const { binary } = await sides.run([statement]);
    const before = await database.query('SELECT * FROM t');
    await expect(session.applyTransactions(binary)).rejects.toThrow(TextFormNeeded);
    expect(await database.query('SELECT * FROM t')).toEqual(before);
  });

  it('does not take one form of a key for another one', async () => {
    await using sides = await Sides.create('CREATE TABLE t (id int PRIMARY KEY, v text)');
    const first = await sides.run(["INSERT INTO t VALUES (1, 'a')", "UPDATE t SET v = 'b'"]);
    const second = await sides.run(["UPDATE t SET v = 'c'"]);
    await sides.target(0).session.applyTransactions([...first.binary, ...second.text]);
    await expectSameRows(sides.source, sides.target(0).database);
  });
});

/** Values where a conversion would go wrong. */
const PORTABLE_SAMPLES: Readonly<Record<string, readonly string[]>> = {
  bool: ["'t'", "'f'"],
  bytea: ["''", "'\\x00ff5c'"],
  '"char"': ["'a'", "''"],
  name: ["'n'", "''"],
  int8: ["'-9223372036854775808'", "'9007199254740993'"],
  int2: ["'-32768'"],
  int4: ["'2147483647'"],
  text: ["E'tab\\tline\\n\\\\'", "'🐘'", "''", "repeat('long ', 20000)"],
  oid: ["'4294967295'"],
  json: [`'{"b": 1,   "a": 2}'`, "'1e400'"],
  point: ["'(0.1,-0)'", "'(NaN,Infinity)'"],
  lseg: ["'[(0,0),(1,0.1)]'"],
  path: ["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"],
  box: ["'(1,1),(0,0.2)'"],
  polygon: ["'((0,0),(1,1),(2,0.1))'"],
  line: ["'{1,-1,0.3}'"],
  cidr: ["'10.0.0.0/8'", "'::/0'"],
  float4: ["'NaN'", "'-Infinity'", "'-0'", "'0.1'"],
  float8: ["'NaN'", "'Infinity'", "'5e-324'", "'0.1'"],
  circle: ["'<(0.1,0.2),3.3>'"],
  macaddr8: ["'08:00:2b:01:02:03:04:05'"],
  macaddr: ["'08:00:2b:01:02:03'"],
  inet: ["'192.168.0.1/24'", "'2001:db8::ff/64'"],
  'char(5)': ["'a'", "''"],
  bpchar: ["'trailing  '"],
  'varchar(10)': ["'ten chars!'"],
  date: ["'infinity'", "'4713-01-01 BC'"],
  time: ["'24:00:00'", "'23:59:59.999999'"],
  timestamp: ["'-infinity'", "'294276-12-31 23:59:59.999999'"],
  timestamptz: ["'infinity'", "'1900-01-01 00:00:00+05:41:16'"],
  interval: ["'1 year -2 mons +3 days -04:05:06.789'"],
  timetz: ["'00:00:00+15:59'"],
  'bit(5)': ["B'10101'"],
  varbit: ["B''", "B'111'"],
  numeric: ["'NaN'", "'-0.10'", "'1e-1000'", "'Infinity'"],
  'numeric(12, 3)': ["'-999999999.999'"],
  uuid: ["'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
  pg_lsn: ["'16/B374D848'"],
  tsvector: [`'a:1A b:2,3C'`],
  jsonb: [`'{"b": 1, "a": [1, {"c": null}]}'`, "'1.0'"],
  int4range: ["'empty'", "'(,)'", "'[1,10)'"],
  numrange: ["'[0.10,1.000]'"],
  tsrange: [`'["2024-01-01 00:00:00.000001",infinity)'`],
  tstzrange: ["'(,)'"],
  daterange: ["'[-infinity,infinity]'"],
  int8range: ["'[-9223372036854775808,9223372036854775807)'"],
  jsonpath: [`'$.a[*] ? (@ > 2)'`],
  int4multirange: ["'{}'", "'{[1,3),[5,9)}'"],
  nummultirange: ["'{[0.1,0.20],(5,)}'"],
  tsmultirange: ["'{}'"],
  tstzmultirange: [`'{["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")}'`],
  datemultirange: ["'{}'"],
  int8multirange: ["'{[1,3)}'"],
};
