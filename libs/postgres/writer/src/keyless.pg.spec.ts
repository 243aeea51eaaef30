import { describe, expect, it } from '@jest/globals';
import { type PostgresMajor } from '@sluice/embedded';
import {
  expectSameRows,
  seededRandom,
  startRecording,
  takeRecorded,
  testDatabase,
  type TestDatabase,
} from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ensureCheckpointTable } from './checkpoint.js';
import { TargetSession } from './target-session.js';

const PLAIN = 'CREATE TABLE t (a int, b text, c char(4), n numeric); ALTER TABLE t ALTER b SET STORAGE EXTERNAL;';
const PARTITIONED = `CREATE TABLE t (a int, b text, c char(4), n numeric) PARTITION BY LIST (a); CREATE TABLE t0 PARTITION OF t FOR VALUES IN (0);
  CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t DEFAULT;`;
const FULL = `DO $$ DECLARE r regclass; BEGIN
  FOR r IN SELECT oid FROM pg_class WHERE relname ~ '^t[0-9]?$' AND relkind = 'r' LOOP EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', r); END LOOP; END $$;`;
/** Values that only look equal, or are no value, and one that lies outside of its row. */
const TEXTS = [`'x'`, `'x '`, `''`, 'NULL', `'NULL'`, `'"x"'`, `'a,b'`, 'big.v'];
const NUMBERS = ['1', '1.0', '1.00', 'NULL'];

interface Options {
  readonly schema: string;
  readonly binary?: boolean;
  readonly sourceMajor?: PostgresMajor;
  readonly targetMajor?: PostgresMajor;
}

interface Pair extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  open(): Promise<TargetSession>;
  /** Runs the statements on the source, each a transaction, and applies them. */
  apply(session: TargetSession, statements: readonly string[]): Promise<void>;
}

async function openPair({ schema, binary = false, sourceMajor = 17, targetMajor = 17 }: Options): Promise<Pair> {
  const source = await testDatabase({ schema, major: sourceMajor });
  const target = await testDatabase({ schema, major: targetMajor });
  const taskId = randomUUID();
  await ensureCheckpointTable(await target.connect());
  await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/0']);
  const recorder = await source.connect({ TimeZone: 'UTC' });
  await startRecording(recorder);
  return {
    source,
    target,
    open: () => TargetSession.open(target.endpoint, { taskId }),
    apply: async (session, statements) => {
      for (const statement of statements) await source.query(statement);
      const recorded = await takeRecorded(recorder, { binary });
      const transactions = recorded.map(({ frames, ...transaction }) => ({
        ...transaction,
        runs: [{ buffer: frames, start: 0, end: frames.length }],
        sizeBytes: frames.length,
      }));
      await session.applyTransactions(transactions);
    },
    [Symbol.asyncDispose]: async () => {
      await target[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

/** Few values, so that most rows have equals; every change takes one of them. */
function randomChanges(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const one = (values: readonly string[]): string => values[Math.floor(random() * values.length)] ?? '';
  const row = (): string => `${Math.floor(random() * 4)}, ${one(TEXTS)}, ${one([`'x'`, 'NULL'])}, ${one(NUMBERS)}`;
  const big = `(SELECT repeat('0123456789', 400) AS v) AS big`;
  const some = `(t.tableoid, t.ctid) IN (SELECT tableoid, ctid FROM t ORDER BY md5(t::text || ${seed} || ctid::text) LIMIT 1)`;
  return Array.from({ length: count }, () => {
    const kind = random();
    if (kind < 0.4) return `INSERT INTO t SELECT ${row()} FROM ${big}`;
    if (kind < 0.6) return `DELETE FROM t WHERE ${some}`;
    if (kind < 0.8) return `UPDATE t SET a = ${Math.floor(random() * 4)}, n = ${one(NUMBERS)} WHERE ${some}`;
    return `UPDATE t SET b = ${one(TEXTS)} FROM ${big} WHERE ${some}`;
  });
}

describe('a table without key', () => {
  it.each<Options & { title: string }>([
    { title: 'as text', schema: PLAIN + FULL },
    { title: 'as binary', schema: PLAIN + FULL, binary: true },
    { title: 'partitioned, as text', schema: PARTITIONED + FULL, sourceMajor: 12 },
    { title: 'partitioned, as binary', schema: PARTITIONED + FULL, binary: true },
    { title: 'from 18 to 10', schema: PLAIN + FULL, sourceMajor: 18, targetMajor: 10 },
  ])('has the rows of the source after any changes, equal ones included: $title', async (options) => {
    await using pair = await openPair(options);
    const session = await pair.open();
    for (let seed = 1; seed <= 4; seed += 1) {
      await pair.apply(session, randomChanges(15 * seed, seed));
      await expectSameRows(pair.source, pair.target);
    }
    const all = randomChanges(60, 5).join('; ');
    await pair.apply(session, [`BEGIN; ${all}; COMMIT`]);
    await expectSameRows(pair.source, pair.target);
    await session.close();
  });

  it('is read once for many changes, in whatever transactions', async () => {
    await using pair = await openPair({
      schema: `${PLAIN + FULL} INSERT INTO t SELECT i % 500, 'x' FROM generate_series(1, 4000) AS i;`,
    });
    const session = await pair.open();
    const singles = Array.from(
      { length: 50 },
      (_, n) => `DELETE FROM t WHERE a = ${n}; UPDATE t SET b = 'y' WHERE a = ${n + 50}`,
    );
    await pair.apply(session, singles);
    await expectSameRows(pair.source, pair.target);
    await session.close();
    const [scans] = await pair.target.query<{ n: number }>(
      `SELECT seq_scan::int AS n FROM pg_stat_user_tables WHERE relname = 't'`,
    );
    // Two of them are those that compared the rows.
    expect(scans?.n).toBeLessThan(6);
  });

  it.each([
    ['a row that is not there', [`DELETE FROM t WHERE a = 1`]],
    ['fewer equal rows than go', [`DELETE FROM t WHERE a = 2`]],
    ['a row that goes before an equal one comes', [`DELETE FROM t WHERE a = 1`, `INSERT INTO t VALUES (1, 'x')`]],
  ])('stops at %s', async (_, statements) => {
    await using pair = await openPair({
      schema: `${PLAIN + FULL} INSERT INTO t VALUES (1, 'x'), (2, 'x'), (2, 'x'), (3, 'x');`,
    });
    await pair.target.query(`DELETE FROM t WHERE ctid IN ('(0,1)', '(0,2)')`);
    const session = await pair.open();
    const applied = pair.apply(session, ['UPDATE t SET b = b WHERE a = 3', ...statements]);
    await expect(applied).rejects.toMatchObject({ code: 'SLUICE-5002' });
    await session.close();
  });

  it('keeps what a column of the target alone holds when its row is updated', async () => {
    await using pair = await openPair({ schema: `${PLAIN + FULL} INSERT INTO t VALUES (1, 'x');` });
    await pair.target.query(`ALTER TABLE t ADD COLUMN own text; UPDATE t SET own = 'mine'`);
    const session = await pair.open();
    await pair.apply(session, [`UPDATE t SET b = 'y'`]);
    expect(await pair.target.query('SELECT a, b, own FROM t')).toEqual([{ a: 1, b: 'y', own: 'mine' }]);
    await session.close();
  });
});
