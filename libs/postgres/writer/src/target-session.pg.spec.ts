import { describe, expect, it } from '@jest/globals';
import { formatLsn, ZERO_LSN } from '@sluice/model';
import { type Client } from '@sluice/postgres-client';
import { frames, MESSAGE_KIND } from '@sluice/postgres-replication';
import {
  everyType,
  expectSameRows,
  startRecording,
  takeRecorded,
  testDatabase,
  type TestDatabase,
  waitFor,
} from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ensureCheckpointTable } from './checkpoint.js';
import { TargetSession } from './target-session.js';
import { type SourceTransaction } from './source-transaction.js';

interface Pair extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly recorder: Client;
  readonly taskId: string;
  open(): Promise<TargetSession>;
}

/** Two databases with the same schema and rows, and a recording of what the source does from now on. */
async function pair(schema: string, options: { sourceMajor?: 15 | 18; targetMajor?: 15 | 18 } = {}): Promise<Pair> {
  const source = await testDatabase({ schema, ...(options.sourceMajor && { major: options.sourceMajor }) });
  const target = await testDatabase({ schema, ...(options.targetMajor && { major: options.targetMajor }) });
  const taskId = randomUUID();
  const recorder = await source.connect({
    extra_float_digits: '3',
    TimeZone: 'UTC',
    lc_monetary: 'C',
    bytea_output: 'hex',
    IntervalStyle: 'postgres',
    DateStyle: 'ISO,YMD',
  });
  await startRecording(recorder);
  await ensureCheckpointTable(await target.connect());
  await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [taskId, '0/0']);
  return {
    source,
    target,
    recorder,
    taskId,
    open: () => TargetSession.open(target.endpoint, { taskId }),
    [Symbol.asyncDispose]: async () => {
      await target[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

/** What the source did since the last call. */
async function changesOf({ recorder }: Pair): Promise<SourceTransaction[]> {
  const recorded = await takeRecorded(recorder);
  return recorded.map(({ frames, ...transaction }) => ({
    ...transaction,
    runs: [{ buffer: frames, start: 0, end: frames.length }],
    sizeBytes: frames.length,
  }));
}

/** Runs the statements on the source, each as a transaction, applies the recording and compares all rows. */
async function replicate(setup: Pair, session: TargetSession, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await setup.recorder.query(statement);
  await session.applyTransactions(await changesOf(setup));
  await expectSameRows(setup.source, setup.target);
}

const BIG = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) g)";

describe('TargetSession', () => {
  it.each<[string, string, string[]]>([
    [
      'insert, update, delete',
      'CREATE TABLE t (id int PRIMARY KEY, v text)',
      [
        "INSERT INTO t SELECT g, 'a' || g FROM generate_series(1, 5000) g",
        'UPDATE t SET v = NULL WHERE id % 3 = 0',
        'DELETE FROM t WHERE id % 5 = 0',
        "INSERT INTO t SELECT g, '' FROM generate_series(1, 5000, 5) g WHERE g % 5 = 0",
      ],
    ],
    [
      'many changes of one key in one transaction',
      'CREATE TABLE t (id int PRIMARY KEY, v int)',
      [
        'BEGIN; INSERT INTO t VALUES (1, 0); UPDATE t SET v = 1; UPDATE t SET v = 2; DELETE FROM t; INSERT INTO t VALUES (1, 3); COMMIT',
        'BEGIN; DELETE FROM t; INSERT INTO t VALUES (1, 4); UPDATE t SET v = 5; COMMIT',
        'BEGIN; UPDATE t SET v = 6; DELETE FROM t; COMMIT',
      ],
    ],
    [
      'changed keys, chains and swaps of them',
      'CREATE TABLE t (id int PRIMARY KEY, v text)',
      [
        'INSERT INTO t SELECT g, g::text FROM generate_series(1, 20) g',
        'UPDATE t SET id = id + 100 WHERE id <= 10',
        'BEGIN; UPDATE t SET id = -1 WHERE id = 11; UPDATE t SET id = 11 WHERE id = 12; UPDATE t SET id = 12 WHERE id = -1; COMMIT',
        'UPDATE t SET id = 500 WHERE id = 101; UPDATE t SET id = 501 WHERE id = 500; DELETE FROM t WHERE id = 501',
      ],
    ],
    [
      'swapped secondary unique keys',
      'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)',
      [
        'INSERT INTO t SELECT g, g FROM generate_series(1, 10) g',
        'BEGIN; UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1; COMMIT',
        'BEGIN; DELETE FROM t WHERE id = 3; UPDATE t SET u = 3 WHERE id = 4; INSERT INTO t VALUES (3, 4); COMMIT',
      ],
    ],
    [
      'unchanged TOAST in every combination',
      'CREATE TABLE t (id int PRIMARY KEY, a text, b text, n int); ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL',
      [
        `INSERT INTO t SELECT g, ${BIG}, ${BIG}, 0 FROM generate_series(1, 8) g`,
        'UPDATE t SET n = 1',
        "BEGIN; UPDATE t SET a = 'x' || a WHERE id = 1; UPDATE t SET n = 2 WHERE id = 1; UPDATE t SET b = NULL WHERE id = 1; COMMIT",
        'UPDATE t SET id = id + 100 WHERE id IN (2, 3)',
        'BEGIN; UPDATE t SET n = 7 WHERE id = 4; UPDATE t SET id = 40 WHERE id = 4; UPDATE t SET n = 8 WHERE id = 40; COMMIT',
        `BEGIN; INSERT INTO t VALUES (9, ${BIG}, ${BIG}, 0); UPDATE t SET n = 1 WHERE id = 9; UPDATE t SET id = 10 WHERE id = 9; COMMIT`,
      ],
    ],
    [
      'a table without key, duplicates included',
      'CREATE TABLE t (a int, b json, c point, d text, e char(5)); ALTER TABLE t REPLICA IDENTITY FULL',
      [
        `INSERT INTO t SELECT g % 3, '{"k": 1}', '(1,2)', NULL, 'ab' FROM generate_series(1, 12) g`,
        "UPDATE t SET d = 'x' WHERE ctid = (SELECT ctid FROM t WHERE a = 1 LIMIT 1)",
        'DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = 2 LIMIT 2)',
        `UPDATE t SET b = '{"k": 10000000000000000000001}' WHERE a = 0`,
        `BEGIN; INSERT INTO t (a) VALUES (9); UPDATE t SET a = 10 WHERE a = 9; DELETE FROM t WHERE a = 10; COMMIT`,
      ],
    ],
    [
      'REPLICA IDENTITY FULL with a primary key',
      'CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY FULL',
      [
        'INSERT INTO t SELECT g, g::text FROM generate_series(1, 100) g',
        'UPDATE t SET v = v || v; UPDATE t SET id = id + 1000 WHERE id < 10',
        'DELETE FROM t WHERE id > 50',
      ],
    ],
    [
      'REPLICA IDENTITY USING INDEX',
      'CREATE TABLE t (a int NOT NULL, b text NOT NULL, v int); CREATE UNIQUE INDEX t_i ON t (b, a); ALTER TABLE t REPLICA IDENTITY USING INDEX t_i',
      [
        "INSERT INTO t SELECT g, 'k' || g, 0 FROM generate_series(1, 50) g",
        "UPDATE t SET v = 1; UPDATE t SET b = b || 'x' WHERE a < 5; DELETE FROM t WHERE a > 40",
      ],
    ],
    [
      'generated and identity columns',
      'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, g int GENERATED ALWAYS AS (a * 2) STORED); CREATE TABLE u (k int PRIMARY KEY, i int GENERATED ALWAYS AS IDENTITY, v text)',
      [
        'INSERT INTO t (a) SELECT g FROM generate_series(1, 10) g; UPDATE t SET a = 100 WHERE id < 3; UPDATE t SET id = DEFAULT WHERE id = 4',
        "INSERT INTO u (k, v) SELECT g, 'a' FROM generate_series(1, 5) g; UPDATE u SET v = 'b'; UPDATE u SET i = DEFAULT WHERE k = 2",
      ],
    ],
    [
      'truncate between changes, with restart and foreign keys',
      'CREATE TABLE p (id serial PRIMARY KEY); CREATE TABLE c (id serial PRIMARY KEY, p int REFERENCES p)',
      [
        'BEGIN; INSERT INTO p DEFAULT VALUES; INSERT INTO c (p) VALUES (1); TRUNCATE p CASCADE; INSERT INTO p DEFAULT VALUES; COMMIT',
        'TRUNCATE p, c RESTART IDENTITY; INSERT INTO p DEFAULT VALUES',
      ],
    ],
    [
      'foreign keys whose rows come in any order',
      'CREATE TABLE p (id int PRIMARY KEY, c int); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); ALTER TABLE p ADD FOREIGN KEY (c) REFERENCES c DEFERRABLE INITIALLY DEFERRED',
      [
        'BEGIN; INSERT INTO c VALUES (1, 1); INSERT INTO p VALUES (1, 1); COMMIT',
        'BEGIN; UPDATE p SET c = 2; INSERT INTO c VALUES (2, 1); DELETE FROM c WHERE id = 1; COMMIT',
      ],
    ],
    [
      'quoted names and a reserved word',
      'CREATE SCHEMA "we ird"; CREATE TABLE "we ird"."sel""ect.ö 🙂" ("from" int PRIMARY KEY, "a.b" text)',
      [
        `INSERT INTO "we ird"."sel""ect.ö 🙂" VALUES (1, 'x'), (2, 'ü'); UPDATE "we ird"."sel""ect.ö 🙂" SET "a.b" = 'y' WHERE "from" = 1`,
      ],
    ],
    [
      'rows of partitions that move',
      "CREATE TABLE t (id int, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k); CREATE TABLE ta PARTITION OF t FOR VALUES IN ('a'); CREATE TABLE tb PARTITION OF t FOR VALUES IN ('b')",
      ["INSERT INTO t SELECT g, 'a' FROM generate_series(1, 10) g; UPDATE t SET k = 'b' WHERE id < 5"],
    ],
    [
      'rolled back sub-transactions',
      'CREATE TABLE t (id int PRIMARY KEY)',
      [
        'BEGIN; INSERT INTO t VALUES (1); SAVEPOINT a; INSERT INTO t VALUES (2); ROLLBACK TO a; INSERT INTO t VALUES (3); COMMIT',
      ],
    ],
    [
      'text, numbers and floats as keys whose text differs though they are equal',
      'CREATE TABLE n (k numeric PRIMARY KEY, v int); CREATE TABLE f (k float8 PRIMARY KEY, v int)',
      [
        'INSERT INTO n VALUES (1.0, 1), (2.50, 2); UPDATE n SET k = 1.000 WHERE k = 1; UPDATE n SET v = 5 WHERE k = 1; UPDATE n SET v = 6 WHERE k = 2.5',
        "INSERT INTO f VALUES ('-0', 1), ('NaN', 2), (0.1, 3); UPDATE f SET v = 9",
      ],
    ],
    [
      'char(n) and varchar(n) keys',
      'CREATE TABLE t (a char(6), b varchar(6), v int, PRIMARY KEY (a, b))',
      ["INSERT INTO t VALUES ('ab', 'ab ', 1), ('', '', 2); UPDATE t SET v = v + 1; DELETE FROM t WHERE a = ''"],
    ],
  ])('%s', async (_, schema, statements) => {
    await using setup = await pair(schema);
    const session = await setup.open();
    await replicate(setup, session, statements);
    await session.close();
  });

  it.each([
    [15, 15],
    [15, 18],
  ] as const)('carries every type byte for byte from PostgreSQL %s to %s', async (sourceMajor, targetMajor) => {
    const { schema, rows, touch, multiply } = splitEveryType(sourceMajor);
    await using setup = await pair(schema, { sourceMajor, targetMajor });
    const session = await setup.open();
    await replicate(setup, session, [rows, touch, multiply]);
    await session.close();
  });

  it('applies nothing of a transaction with a duplicate key, all before it, and names the row', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, v text)');
    await setup.target.query("INSERT INTO t VALUES (3, 'foreign')");
    const session = await setup.open();
    await setup.recorder.query("INSERT INTO t VALUES (1, 'a')");
    await setup.recorder.query("BEGIN; INSERT INTO t VALUES (2, 'b'); INSERT INTO t VALUES (3, 'c'); COMMIT");
    const recorded = await changesOf(setup);
    await expect(session.applyTransactions(recorded)).rejects.toMatchObject({
      code: 'SLUICE-5001',
      detail: expect.stringContaining('"id"=3'),
    });
    expect(await setup.target.query('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }]);
    expect(session.appliedLsn).toBe(recorded[0]?.endLsn);
    await session.close();
  });

  it.each([
    ['UPDATE t SET v = 9', 'update'],
    ['DELETE FROM t', 'delete'],
  ])('stops at a missing row: %s', async (statement, operation) => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, v int)');
    const session = await setup.open();
    await replicate(setup, session, ['INSERT INTO t VALUES (1, 1), (2, 2)']);
    await setup.target.query('DELETE FROM t WHERE id = 2');
    await setup.recorder.query(statement);
    await expect(session.applyTransactions(await changesOf(setup))).rejects.toMatchObject({
      code: 'SLUICE-5002',
      detail: expect.stringContaining(`${operation} on public.t ("id"=2)`),
    });
    expect(await setup.target.query('SELECT id, v FROM t')).toEqual([{ id: 1, v: 1 }]);
    await session.close();
  });

  it('refuses a value that does not fit instead of cutting it', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, v text)');
    await setup.target.query('ALTER TABLE t ALTER v TYPE varchar(3)');
    const session = await setup.open();
    await setup.recorder.query("INSERT INTO t VALUES (1, 'abcd')");
    await expect(session.applyTransactions(await changesOf(setup))).rejects.toMatchObject({
      code: 'SLUICE-5003',
    });
    expect(await setup.target.query('SELECT * FROM t')).toEqual([]);
    await session.close();
  });

  it('commits nothing more once a newer writer has claimed the checkpoint', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY)');
    const stale = await setup.open();
    // As a newer writer does that may not end the session of this one.
    await setup.target.query('UPDATE sluice.checkpoint SET epoch = epoch + 1');
    await setup.recorder.query('INSERT INTO t VALUES (1)');
    const recorded = await changesOf(setup);
    await expect(stale.applyTransactions(recorded)).rejects.toMatchObject({ code: 'SLUICE-5004' });
    expect(await setup.target.query('SELECT * FROM t')).toEqual([]);
    await stale.close();
    const owner = await setup.open();
    await owner.applyTransactions(recorded);
    await expectSameRows(setup.source, setup.target);
    await owner.close();
  });

  it('resumes from the checkpoint and reports durable only what the target has flushed', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY)');
    const session = await setup.open();
    expect(session.appliedLsn).toBe(ZERO_LSN);
    await replicate(setup, session, ['INSERT INTO t VALUES (1)']);
    // Flushing is the target's WAL writer's business; a synchronous commit of anybody makes it happen now.
    await setup.target.query('CREATE TABLE flush_now ()');
    expect(await session.refreshDurable()).toBe(session.appliedLsn);
    await session.close();
    const next = await setup.open();
    expect(next.appliedLsn).toBe(session.appliedLsn);
    await next.close();
  });

  it('writes one large transaction in parts and nothing of it before its commit', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, v text)');
    const session = await setup.open();
    await setup.recorder.query("INSERT INTO t SELECT g, 'v' FROM generate_series(1, 3000) g");
    const [transaction] = await changesOf(setup);
    if (!transaction) throw new Error('nothing recorded');
    const large = session.beginLarge('folded');
    await large.write(transaction);
    expect(await setup.target.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 0 }]);
    await large.commit(transaction);
    await expectSameRows(setup.source, setup.target);
    await session.close();
  });

  it('names the row when the source holds a key twice that is unique on the target', async () => {
    await using setup = await pair('CREATE TABLE t (id int NOT NULL, v text); ALTER TABLE t REPLICA IDENTITY FULL');
    await setup.target.query('ALTER TABLE t ADD PRIMARY KEY (id)');
    const session = await setup.open();
    await setup.recorder.query("INSERT INTO t VALUES (1, 'a'), (1, 'b')");
    await expect(session.applyTransactions(await changesOf(setup))).rejects.toMatchObject({
      code: 'SLUICE-5001',
      detail: expect.stringContaining('"id"=1'),
    });
    expect(await setup.target.query('SELECT * FROM t')).toEqual([]);
    await session.close();
  });

  it('does not hold a description without changes against a table that looks different by now', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, gone text)');
    await setup.recorder.query("INSERT INTO t VALUES (1, 'x')");
    const [before] = await changesOf(setup);
    for (const side of [setup.source, setup.target]) await side.query('ALTER TABLE t DROP COLUMN gone');
    await setup.target.query('INSERT INTO t VALUES (1)');
    await setup.recorder.query('INSERT INTO t VALUES (2)');
    const [after] = await changesOf(setup);
    if (!before || !after) throw new Error('nothing recorded');
    const described = before.runs.flatMap(({ buffer }) =>
      Array.from(frames(buffer), ({ kind, offset, end }) => ({ kind, buffer, start: offset, end })),
    );
    const relations = described.filter(({ kind }) => kind === MESSAGE_KIND.relation);
    expect(relations).toHaveLength(1);
    const session = await setup.open();
    await session.applyTransactions([{ ...after, runs: [...relations, ...after.runs] }]);
    await expectSameRows(setup.source, setup.target);
    await session.close();
  });

  it('leaves out what a table loaded under a later snapshot holds already, and tells names with dots apart', async () => {
    await using setup = await pair(`
      CREATE SCHEMA s; CREATE TABLE s."t.u" (id int PRIMARY KEY);
      CREATE SCHEMA "s.t"; CREATE TABLE "s.t".u (id int PRIMARY KEY)`);
    await setup.recorder.query('WITH o AS (INSERT INTO s."t.u" VALUES (1)) INSERT INTO "s.t".u VALUES (1)');
    await setup.recorder.query('INSERT INTO s."t.u" VALUES (2)');
    const recorded = await changesOf(setup);
    await setup.target.query('INSERT INTO s."t.u" VALUES (1)');
    await setup.target.query(`
      CREATE TABLE sluice.table_load (task_id uuid, schema_name text, table_name text, start_lsn pg_lsn);
      INSERT INTO sluice.table_load
      VALUES ('${setup.taskId}', 's', 't.u', '${formatLsn(recorded[1]?.commitLsn ?? ZERO_LSN)}'),
             ('${setup.taskId}', 's.t', 'u', NULL)`);
    const session = await setup.open();
    await session.applyTransactions(recorded);
    await expectSameRows(setup.source, setup.target);
    await session.close();
  });

  it('fails with one error, and leaves none behind, when the connection is lost at COMMIT', async () => {
    await using setup = await pair(`
      CREATE TABLE t (id int PRIMARY KEY);
      CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`);
    await setup.target.query(`
      CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON sluice.checkpoint DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.lsn <> OLD.lsn) EXECUTE FUNCTION cut();
      ALTER TABLE sluice.checkpoint ENABLE ALWAYS TRIGGER cut`);
    const session = await setup.open();
    await setup.recorder.query('INSERT INTO t VALUES (1)');
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    await expect(session.applyTransactions(await changesOf(setup))).rejects.toMatchObject({ code: 'SLUICE-1012' });
    // Rejections are called unhandled once the microtasks of their turn are over.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    await session.close();
  });

  it('ends the session of the writer before it, whose locks it would wait for', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY)');
    const stale = await setup.open();
    await setup.recorder.query('INSERT INTO t VALUES (1)');
    const [transaction] = await changesOf(setup);
    if (!transaction) throw new Error('nothing recorded');
    const large = stale.beginLarge('folded');
    await large.write(transaction);
    const session = await setup.open();
    await session.applyTransactions([transaction]);
    await expectSameRows(setup.source, setup.target);
    await expect(large.commit(transaction)).rejects.toMatchObject({ code: 'SLUICE-1012' });
    await session.close();
    await stale.close();
  });

  it('reads values by the input function of their type, whatever a cast from text would do', async () => {
    await using setup = await pair(`
      CREATE FUNCTION to_tid(text) RETURNS tid IMMUTABLE LANGUAGE sql AS $$ SELECT '(0,0)'::tid $$;
      CREATE CAST (text AS tid) WITH FUNCTION to_tid(text);
      CREATE DOMAIN place AS tid; CREATE DOMAIN letter AS "char"; CREATE DOMAIN label AS name;
      CREATE TABLE t (r regclass, m tid, f place, l letter, n label, x xml, a regclass[]);
      ALTER TABLE t REPLICA IDENTITY FULL`);
    const session = await setup.open();
    await replicate(setup, session, [
      `INSERT INTO t VALUES ('-', '(1,2)', '(1,2)', 'c', 'n', '<a/>', '{-,pg_class}'),
                            ('pg_catalog.pg_class', NULL, '(3,4)', '', 'n', NULL, NULL)`,
      "UPDATE t SET l = 'd'",
      "DELETE FROM t WHERE r = '-'::regclass",
    ]);
    await session.close();
  });

  it.each([
    ['a table', 'PRIMARY KEY (id)', ''],
    ['a table without key', 'CHECK (true)', 'ALTER TABLE t REPLICA IDENTITY FULL;'],
  ])('%s that only the target has in partitions, and rows that move between them', async (_, key, identity) => {
    const columns = `id int, v text, ${key}`;
    await using setup = await pair(`CREATE TABLE t (${columns}); ${identity}`);
    await setup.target.query(
      `DROP TABLE t; CREATE TABLE t (${columns}) PARTITION BY RANGE (id); ${identity}
       CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (MINVALUE) TO (100) PARTITION BY RANGE (id);
       CREATE TABLE t_low_1 PARTITION OF t_low FOR VALUES FROM (MINVALUE) TO (10);
       CREATE TABLE t_low_2 PARTITION OF t_low DEFAULT;
       CREATE TABLE t_high PARTITION OF t DEFAULT`,
    );
    const session = await setup.open();
    await replicate(setup, session, [
      "INSERT INTO t SELECT g, 'v' || g % 3 FROM generate_series(1, 300) g",
      'UPDATE t SET id = id + 1000 WHERE id % 7 = 0',
      "BEGIN; UPDATE t SET id = -id WHERE id > 1000; UPDATE t SET v = 'x' WHERE id < 0; DELETE FROM t WHERE id % 11 = 0; COMMIT",
      "BEGIN; TRUNCATE t; INSERT INTO t VALUES (5, 'a'), (50, 'b'), (500, 'c'); COMMIT",
    ]);
    await session.close();
  });

  it('looks rows up by their key in a table that is empty as far as ANALYZE could see', async () => {
    await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = false)');
    // Pages without rows that count: what a large transaction that has not committed looks like.
    await setup.target.query('INSERT INTO t SELECT g FROM generate_series(1, 5000) g');
    await setup.target.query('DELETE FROM t');
    await setup.target.query('ANALYZE t');
    const session = await setup.open();
    // Each by itself: together they would be folded into what is left of them.
    await replicate(setup, session, [`INSERT INTO t SELECT g, 'a' FROM generate_series(1, 5000) g`]);
    await replicate(setup, session, ["UPDATE t SET v = 'b'"]);
    await replicate(setup, session, ['DELETE FROM t WHERE id % 2 = 0']);
    await session.close();
    const lookUps = async (): Promise<number> =>
      (
        await setup.target.query<{ n: number }>(
          `SELECT idx_scan::int AS n FROM pg_stat_user_tables WHERE relname = 't'`,
        )
      )[0]?.n ?? 0;
    await waitFor('each row to be counted as looked up', async () => (await lookUps()) >= 7_500);
  });

  describe('many inserts of one table', () => {
    const MANY = "SELECT g, E'tab\\t' || g, NULL FROM generate_series(1, 20000) g";

    it.each([
      ['with a key', 'CREATE TABLE t (id int PRIMARY KEY, a text, b text)'],
      ['without a key', 'CREATE TABLE t (id int, a text, b text)'],
      [
        'into partitions, values of an identity column, a generated one',
        `CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a text, b text, g int GENERATED ALWAYS AS (id * 2) STORED)
           PARTITION BY RANGE (id);
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (10000);
         CREATE TABLE t2 PARTITION OF t DEFAULT;
         ALTER TABLE t1 REPLICA IDENTITY FULL; ALTER TABLE t2 REPLICA IDENTITY FULL`,
      ],
    ])('%s, and a change of some of them in the same transaction', async (_, schema) => {
      await using setup = await pair(`${schema}; ALTER TABLE t REPLICA IDENTITY FULL`);
      const session = await setup.open();
      await replicate(setup, session, [
        `BEGIN; INSERT INTO t (id, a, b) OVERRIDING SYSTEM VALUE ${MANY}; UPDATE t SET b = E'\\\\N' WHERE id % 5000 = 0; COMMIT`,
      ]);
      await session.close();
    });

    it('applies nothing of them when one is there already, names it, and goes on afterwards', async () => {
      await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, a text, b text)');
      await setup.target.query("INSERT INTO t VALUES (15000, 'foreign', NULL)");
      const session = await setup.open();
      await setup.recorder.query('BEGIN; DELETE FROM t; INSERT INTO t VALUES (-1); COMMIT');
      await setup.recorder.query(`INSERT INTO t ${MANY}`);
      const recorded = await changesOf(setup);
      await expect(session.applyTransactions(recorded)).rejects.toMatchObject({
        code: 'SLUICE-5001',
        detail: expect.stringContaining('"id"=15000'),
      });
      expect(await setup.target.query('SELECT id FROM t ORDER BY id')).toEqual([{ id: -1 }, { id: 15000 }]);
      await setup.target.query('DELETE FROM t WHERE id = 15000');
      await session.applyTransactions(recorded.slice(1));
      await expectSameRows(setup.source, setup.target);
      await session.close();
    });

    it('swapped secondary unique keys among them are written in the order of the source', async () => {
      await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, a text, b text UNIQUE)');
      const session = await setup.open();
      await replicate(setup, session, [
        `INSERT INTO t SELECT g, '', g FROM generate_series(1, 100) g`,
        `BEGIN; UPDATE t SET b = 'old' || b; INSERT INTO t SELECT g + 1000, '', g FROM generate_series(1, 100) g; COMMIT`,
      ]);
      await session.close();
    });

    it('are written row by row statement where row-level security forbids COPY', async () => {
      await using setup = await pair('CREATE TABLE t (id int PRIMARY KEY, a text, b text)');
      const role = await setup.target.createRole();
      await setup.target.query(`
        ALTER TABLE t OWNER TO ${role.user}; ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY all_rows ON t USING (true);
        GRANT ALL ON SCHEMA sluice TO ${role.user}; GRANT ALL ON ALL TABLES IN SCHEMA sluice TO ${role.user};
        GRANT CREATE ON DATABASE ${setup.target.name} TO ${role.user};
        GRANT SET ON PARAMETER session_replication_role TO ${role.user}`);
      const session = await TargetSession.open(role, { taskId: setup.taskId });
      await replicate(setup, session, [`INSERT INTO t ${MANY}`]);
      await session.close();
      await setup.target.query(`REVOKE SET ON PARAMETER session_replication_role FROM ${role.user}`);
    });
  });

  it('updates a row of which the source sent no cell', async () => {
    await using setup = await pair('CREATE TABLE t (v text); ALTER TABLE t REPLICA IDENTITY FULL');
    const session = await setup.open();
    await replicate(setup, session, [`INSERT INTO t SELECT ${BIG}`, 'UPDATE t SET v = v']);
    await session.close();
  });
});

/** The every-type sample as an empty table, its rows, and an update of all of them. */
function splitEveryType(major: 15 | 18): { schema: string; rows: string; touch: string; multiply: string } {
  const sql = everyType(major);
  const firstInsert = sql.indexOf('INSERT INTO');
  return {
    schema: sql.slice(0, firstInsert),
    rows: sql.slice(firstInsert),
    touch: 'UPDATE every.type SET id = id + 1000',
    multiply: `DO $do$ BEGIN EXECUTE (
      SELECT format('INSERT INTO every.type SELECT id + 10000 * g, %s FROM every.type, generate_series(1, 5) g',
                    string_agg(quote_ident(attname), ', ' ORDER BY attnum))
      FROM pg_attribute WHERE attrelid = 'every.type'::regclass AND attnum > 1); END $do$`,
  };
}
