import { describe, expect, it } from '@jest/globals';
import { type ConflictPolicy } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';
import { expectSameRows, startRecording, takeRecorded, testDatabase, type TestDatabase } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ensureCheckpointTable } from './checkpoint.js';
import { forgetJournaled, readJournal } from './conflict-journal.js';
import { TargetSession } from './target-session.js';
import { type SourceTransaction } from './source-transaction.js';

const BIG = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) g)";
const MAJOR = 18;
const OLDEST_MAJOR = 10;

class Setup implements AsyncDisposable {
  readonly taskId = randomUUID();

  private constructor(
    readonly source: TestDatabase,
    readonly target: TestDatabase,
    readonly recorder: Client,
  ) {}

  /** Both sides hold what `sql` makes; then the target is changed by hand. */
  static async create(sql: string, byHand: string, major: 10 | 18 = MAJOR): Promise<Setup> {
    const source = await testDatabase({ schema: sql, major });
    const target = await testDatabase({ schema: sql, major });
    const recorder = await source.connect({ TimeZone: 'UTC', IntervalStyle: 'postgres', DateStyle: 'ISO,YMD' });
    await startRecording(recorder);
    const setup = new Setup(source, target, recorder);
    await ensureCheckpointTable(await target.connect());
    await target.query('INSERT INTO sluice.checkpoint VALUES ($1, 0, $2)', [setup.taskId, '0/0']);
    if (byHand !== '') await target.query(byHand);
    return setup;
  }

  /** What the source did. */
  async transactions(statements: readonly string[]): Promise<SourceTransaction[]> {
    for (const statement of statements) await this.recorder.query(statement);
    return (await takeRecorded(this.recorder)).map(({ frames, ...transaction }) => ({
      ...transaction,
      runs: [{ buffer: frames, start: 0, end: frames.length }],
      sizeBytes: frames.length,
    }));
  }

  open(conflictPolicy: ConflictPolicy): Promise<TargetSession> {
    return TargetSession.open(this.target.endpoint, { taskId: this.taskId, conflictPolicy });
  }

  async journal(): Promise<string[]> {
    const conflicts = await readJournal(await this.target.connect(), this.taskId, { limit: 1000, bytesMax: 1e9 });
    return conflicts.map(
      ({ operation, kind, constraint, action, targetRows }) =>
        `${operation} ${kind} ${constraint ?? '-'} ${action} ${targetRows.length}`,
    );
  }

  /** Rows of the target as text, sorted. */
  async rows(table = 't'): Promise<string[]> {
    const rows = await this.target.query<{ row: string }>(`SELECT ${table}::text AS row FROM ${table} ORDER BY 1`);
    return rows.map(({ row }) => row);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.target[Symbol.asyncDispose]();
    await this.source[Symbol.asyncDispose]();
  }
}

interface Case {
  readonly title: string;
  /** Older servers do not understand the schema. */
  readonly isRecent?: true;
  readonly schema: string;
  /** On the target, before the source does anything. */
  readonly byHand: string;
  readonly statements: readonly string[];
  readonly ignore: { readonly rows: readonly string[]; readonly journal: readonly string[] };
  readonly overwrite: { readonly journal: readonly string[]; readonly rows?: readonly string[] };
  /** What stops the task under `error`. */
  readonly error: { readonly code: string; readonly journal: string };
}

const CASES: readonly Case[] = [
  {
    title: 'insert, primary key',
    schema: 'CREATE TABLE t (id int PRIMARY KEY, v text)',
    byHand: "INSERT INTO t VALUES (2, 'hand')",
    statements: ["INSERT INTO t SELECT g, 's' || g FROM generate_series(1, 3) g", "UPDATE t SET v = 'u' WHERE id = 2"],
    ignore: { rows: ['(1,s1)', '(2,u)', '(3,s3)'], journal: ['insert duplicate_key t_pkey ignored 1'] },
    overwrite: { journal: ['insert duplicate_key t_pkey overwritten 1'] },
    error: { code: 'SLUICE-5001', journal: 'insert duplicate_key t_pkey stopped 1' },
  },
  {
    title: 'insert that collides with several rows at once',
    schema: 'CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE, b int UNIQUE)',
    byHand: 'INSERT INTO t VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300)',
    statements: ['INSERT INTO t VALUES (1, 20, 300)'],
    ignore: { rows: ['(1,10,100)', '(2,20,200)', '(3,30,300)'], journal: ['insert duplicate_key t_pkey ignored 3'] },
    overwrite: { journal: ['insert duplicate_key t_pkey overwritten 3'] },
    error: { code: 'SLUICE-5001', journal: 'insert duplicate_key t_pkey stopped 3' },
  },
  {
    title: 'update, secondary unique key',
    schema: 'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v text); INSERT INTO t VALUES (1, 1, NULL)',
    byHand: "INSERT INTO t VALUES (9, 2, 'hand')",
    statements: ["UPDATE t SET u = 2, v = 'x'"],
    ignore: { rows: ['(1,1,)', '(9,2,hand)'], journal: ['update duplicate_key t_u_key ignored 1'] },
    overwrite: { journal: ['update duplicate_key t_u_key overwritten 1'] },
    error: { code: 'SLUICE-5001', journal: 'update duplicate_key t_u_key stopped 1' },
  },
  {
    title: 'update of the key onto one that is there, with a value that is not sent',
    schema: `CREATE TABLE t (id int PRIMARY KEY, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL; INSERT INTO t SELECT 1, ${BIG}`,
    byHand: "INSERT INTO t VALUES (2, 'hand'); UPDATE t SET big = 'kept' WHERE id = 1",
    statements: ['UPDATE t SET id = 2'],
    ignore: { rows: ['(1,kept)', '(2,hand)'], journal: ['update duplicate_key t_pkey ignored 1'] },
    overwrite: { rows: ['(2,kept)'], journal: ['update duplicate_key t_pkey overwritten 1'] },
    error: { code: 'SLUICE-5001', journal: 'update duplicate_key t_pkey stopped 1' },
  },
  {
    title: 'partial and expression indexes, of which one is not concerned',
    schema: `CREATE TABLE t (id int PRIMARY KEY, name text, live bool NOT NULL);
             CREATE UNIQUE INDEX t_live ON t (lower(name), (id % 1)) WHERE live`,
    byHand: "INSERT INTO t VALUES (8, 'ANNA', true), (9, 'anna', false)",
    statements: ["INSERT INTO t VALUES (1, 'Anna', true)"],
    ignore: { rows: ['(8,ANNA,t)', '(9,anna,f)'], journal: ['insert duplicate_key t_live ignored 1'] },
    overwrite: { rows: ['(1,Anna,t)', '(9,anna,f)'], journal: ['insert duplicate_key t_live overwritten 1'] },
    error: { code: 'SLUICE-5001', journal: 'insert duplicate_key t_live stopped 1' },
  },
  {
    title: 'exclusion constraint with several rows in the way',
    schema: 'CREATE TABLE t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&))',
    byHand: "INSERT INTO t VALUES (8, '[1,5)'), (9, '[5,9)')",
    statements: ["INSERT INTO t VALUES (1, '[4,6)')"],
    ignore: { rows: ['(8,"[1,5)")', '(9,"[5,9)")'], journal: ['insert duplicate_key t_r_excl ignored 2'] },
    overwrite: { journal: ['insert duplicate_key t_r_excl overwritten 2'] },
    error: { code: 'SLUICE-5001', journal: 'insert duplicate_key t_r_excl stopped 2' },
  },
  {
    title: 'NULLS NOT DISTINCT, a generated column in a key, and a collation of the index',
    isRecent: true,
    schema: `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
             CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (id % 10) STORED, c text,
                             UNIQUE NULLS NOT DISTINCT (a, b)); CREATE UNIQUE INDEX t_c ON t (c COLLATE ci)`,
    byHand: "INSERT INTO t VALUES (11, NULL, DEFAULT, 'x'), (12, 1, DEFAULT, 'KEY')",
    statements: ["INSERT INTO t VALUES (1, NULL, DEFAULT, 'key')"],
    ignore: { rows: ['(11,,1,x)', '(12,1,2,KEY)'], journal: ['insert duplicate_key t_a_b_key ignored 2'] },
    overwrite: { journal: ['insert duplicate_key t_a_b_key overwritten 2'] },
    error: { code: 'SLUICE-5001', journal: 'insert duplicate_key t_a_b_key stopped 2' },
  },
  {
    title: 'row of a partition, also by a key of that partition only',
    isRecent: true,
    schema: `CREATE TABLE t (id int, k text, u int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
             CREATE TABLE ta PARTITION OF t FOR VALUES IN ('a'); CREATE TABLE tb PARTITION OF t FOR VALUES IN ('b');
             CREATE UNIQUE INDEX tb_u ON tb (u); INSERT INTO t VALUES (1, 'a', 5)`,
    byHand: "INSERT INTO t VALUES (1, 'b', 6), (2, 'b', 5)",
    statements: ["UPDATE t SET k = 'b' WHERE k = 'a'"],
    // Moving a row between partitions is a DELETE and an INSERT.
    ignore: { rows: ['(1,b,6)', '(2,b,5)'], journal: ['insert duplicate_key tb_pkey ignored 2'] },
    overwrite: { journal: ['insert duplicate_key tb_pkey overwritten 2'] },
    error: { code: 'SLUICE-5001', journal: 'insert duplicate_key tb_pkey stopped 2' },
  },
  {
    title: 'update of a missing row of which all is known',
    schema: 'CREATE TABLE t (id int PRIMARY KEY, v text, c char(4), f bool); INSERT INTO t VALUES (1)',
    byHand: 'DELETE FROM t',
    statements: ["UPDATE t SET v = 'x', c = 'y', f = true"],
    ignore: { rows: [], journal: ['update missing_row - ignored 0'] },
    overwrite: { journal: ['update missing_row - overwritten 0'] },
    error: { code: 'SLUICE-5002', journal: 'update missing_row - stopped 0' },
  },
  {
    title: 'update of a missing row of which a value was not sent',
    schema: `CREATE TABLE t (id int PRIMARY KEY, v int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL; INSERT INTO t SELECT 1, 1, ${BIG}`,
    byHand: 'DELETE FROM t',
    statements: ['UPDATE t SET v = 2'],
    ignore: { rows: [], journal: ['update missing_row - ignored 0'] },
    overwrite: { rows: [], journal: ['update missing_row - ignored 0'] },
    error: { code: 'SLUICE-5002', journal: 'update missing_row - stopped 0' },
  },
  {
    title: 'the same where the old row was sent whole',
    schema: `CREATE TABLE t (id int PRIMARY KEY, v int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL; INSERT INTO t SELECT 1, 1, ${BIG}`,
    byHand: 'DELETE FROM t',
    statements: ['UPDATE t SET v = 2'],
    ignore: { rows: [], journal: ['update missing_row - ignored 0'] },
    overwrite: { journal: ['update missing_row - overwritten 0'] },
    error: { code: 'SLUICE-5002', journal: 'update missing_row - stopped 0' },
  },
  {
    title: 'update of a missing row that would be in the way of another',
    schema: 'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE); INSERT INTO t VALUES (1, 1)',
    byHand: 'UPDATE t SET id = 7, u = 2',
    statements: ['UPDATE t SET u = 2'],
    ignore: { rows: ['(7,2)'], journal: ['update missing_row - ignored 0'] },
    overwrite: { journal: ['update missing_row - overwritten 0', 'update duplicate_key t_u_key overwritten 1'] },
    error: { code: 'SLUICE-5002', journal: 'update missing_row - stopped 0' },
  },
  {
    title: 'delete of a missing row',
    schema: 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)',
    byHand: 'DELETE FROM t WHERE id = 1',
    statements: ['DELETE FROM t'],
    ignore: { rows: [], journal: ['delete missing_row - ignored 0'] },
    overwrite: { journal: ['delete missing_row - ignored 0'] },
    error: { code: 'SLUICE-5002', journal: 'delete missing_row - stopped 0' },
  },
  {
    title: 'table without key: update and delete of missing rows',
    schema: `CREATE TABLE t (a int, b json, c point); ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1, '{"k": 1}', '(1,2)'), (2, NULL, NULL), (2, NULL, NULL)`,
    byHand: 'DELETE FROM t WHERE a = 1; DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)',
    statements: ["UPDATE t SET c = '(3,4)' WHERE a = 1", 'DELETE FROM t WHERE a = 2'],
    ignore: { rows: [], journal: ['update missing_row - ignored 0', 'delete missing_row - ignored 0'] },
    overwrite: { journal: ['update missing_row - overwritten 0', 'delete missing_row - ignored 0'] },
    error: { code: 'SLUICE-5002', journal: 'update missing_row - stopped 0' },
  },
  {
    title: 'identity column and key that the target does not enforce',
    schema: 'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int); INSERT INTO t (v) VALUES (1)',
    byHand: 'ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1, 8), (1, 9)',
    statements: ['UPDATE t SET v = 2'],
    ignore: { rows: ['(1,1)', '(1,8)', '(1,9)'], journal: ['update duplicate_key - ignored 3'] },
    overwrite: { journal: ['update duplicate_key - overwritten 2'] },
    error: { code: 'SLUICE-5002', journal: 'update duplicate_key - stopped 3' },
  },
];

describe('conflict policies', () => {
  it.each(CASES)('ignore: $title', async ({ schema, byHand, statements, ignore }) => {
    await using setup = await Setup.create(schema, byHand);
    const session = await setup.open('ignore');
    await session.applyTransactions(await setup.transactions(statements));
    expect(await setup.rows()).toEqual(ignore.rows);
    expect(await setup.journal()).toEqual(ignore.journal);
    expect(session.conflicts).toEqual({ ignored: ignore.journal.length, overwritten: 0 });
    await session.close();
  });

  it.each([
    ...CASES.map((one) => ({ ...one, major: MAJOR }) as const),
    ...CASES.filter(({ isRecent }) => !isRecent).map((one) => ({ ...one, major: OLDEST_MAJOR }) as const),
  ])('overwrite: $title (PostgreSQL $major)', async ({ schema, byHand, statements, overwrite, major }) => {
    await using setup = await Setup.create(schema, byHand, major);
    const session = await setup.open('overwrite');
    await session.applyTransactions(await setup.transactions(statements));
    if (overwrite.rows) expect(await setup.rows()).toEqual(overwrite.rows);
    else await expectSameRows(setup.source, setup.target);
    expect(await setup.journal()).toEqual(overwrite.journal);
    await session.close();
  });

  it.each(CASES)('error: $title', async ({ schema, byHand, statements, error }) => {
    await using setup = await Setup.create(schema, byHand);
    const before = await setup.rows();
    const session = await setup.open('error');
    // One transaction, as nothing of it may be applied.
    const transactions = await setup.transactions(['BEGIN', ...statements, 'COMMIT']);
    for (let tries = 0; tries < 2; tries += 1)
      await expect(session.applyTransactions(transactions)).rejects.toMatchObject({
        code: error.code,
        evidence: { schema: 'public', conflictId: expect.any(String), changeNumber: expect.any(String) },
      });
    expect(await setup.rows()).toEqual(before);
    expect(await setup.journal()).toEqual([error.journal]);
    await session.close();
  });

  it('keeps both images as the server prints them, of values of any length only a beginning', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY, f bool, c char(4), j json, long text)',
      `INSERT INTO t VALUES (1, true, 'x', '{"a":  1}', repeat('ü', 100000))`,
    );
    const session = await setup.open('overwrite');
    await session.applyTransactions(
      await setup.transactions([`INSERT INTO t VALUES (1, false, NULL, '{"b": 1.0}', 'n')`]),
    );
    const target = await setup.target.connect();
    const [conflict] = await readJournal(target, setup.taskId, { limit: 10, bytesMax: 1 });
    expect(conflict).toMatchObject({
      key: { id: '1' },
      sourceRow: { id: '1', f: 'f', c: null, j: '{"b": 1.0}', long: 'n' },
      targetRows: [{ id: '1', f: 't', c: 'x   ', j: '{"a":  1}', long: 'ü'.repeat(65_537) }],
    });
    await forgetJournaled(target, [conflict?.conflictId ?? '']);
    expect(await setup.journal()).toEqual([]);
    await session.close();
  });

  it('journals once what is read again after a crash, and goes on folding after it', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY, v int)',
      'INSERT INTO t VALUES (500, 0)',
    );
    const transactions = await setup.transactions([
      'INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g',
      'UPDATE t SET v = v + 1',
    ]);
    const first = await setup.open('overwrite');
    await first.applyTransactions(transactions);
    await first.close();
    const second = await setup.open('overwrite');
    await second.applyTransactions(await setup.transactions(['UPDATE t SET v = v + 1']));
    await expectSameRows(setup.source, setup.target);
    expect(await setup.journal()).toEqual(['insert duplicate_key t_pkey overwritten 1']);
    await second.close();
  });

  it('resolves conflicts of a large transaction in parts, in the order of the source', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)',
      'INSERT INTO t SELECT g, -g FROM generate_series(1, 3000, 700) g; INSERT INTO t VALUES (-1, 4), (-2, 5)',
    );
    const [transaction] = await setup.transactions([
      'BEGIN; INSERT INTO t SELECT g, g FROM generate_series(1, 3000) g; UPDATE t SET u = u + 5000; DELETE FROM t WHERE id > 2000; COMMIT',
    ]);
    if (!transaction) throw new Error('nothing recorded');
    const session = await setup.open('overwrite');
    const large = session.beginLarge('exact');
    await large.write(transaction);
    await large.commit(transaction);
    await expectSameRows(setup.source, setup.target);
    expect(await setup.journal()).toHaveLength(7);
    expect(session.conflicts).toEqual({ ignored: 0, overwritten: 7 });
    await session.close();
  });

  it('every change a conflict', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, g FROM generate_series(1, 500) g',
      'TRUNCATE t',
    );
    const session = await setup.open('overwrite');
    await session.applyTransactions(await setup.transactions(['UPDATE t SET v = -v']));
    await expectSameRows(setup.source, setup.target);
    expect(session.conflicts).toEqual({ ignored: 0, overwritten: 500 });
    await session.close();
  });

  describe('deferrable keys, which nothing checks for replicated rows', () => {
    const SCHEMA = `CREATE TABLE t (id int PRIMARY KEY, u int, UNIQUE (u) DEFERRABLE INITIALLY DEFERRED);
                    CREATE TABLE k (id int PRIMARY KEY DEFERRABLE, v text); ALTER TABLE k REPLICA IDENTITY FULL;
                    INSERT INTO t VALUES (1, 1), (2, 2); INSERT INTO k VALUES (1, 'a'), (2, 'b')`;

    it.each(['error', 'overwrite'] as const)('%s: swaps are no conflicts', async (policy) => {
      await using setup = await Setup.create(SCHEMA, '');
      const session = await setup.open(policy);
      await session.applyTransactions(
        await setup.transactions([
          'UPDATE t SET u = 3 - u',
          'UPDATE k SET id = id + 1',
          'INSERT INTO k VALUES (1, NULL)',
        ]),
      );
      await expectSameRows(setup.source, setup.target);
      expect(await setup.journal()).toEqual([]);
      await session.close();
    });

    it('overwrite: the row of the source is alone in the end', async () => {
      await using setup = await Setup.create(SCHEMA, "INSERT INTO t VALUES (9, 3); INSERT INTO k VALUES (3, 'hand')");
      const session = await setup.open('overwrite');
      await session.applyTransactions(
        await setup.transactions(['UPDATE t SET u = u + 1', "INSERT INTO k VALUES (3, 'source')"]),
      );
      await expectSameRows(setup.source, setup.target);
      expect(await setup.journal()).toEqual([
        'update duplicate_key t_u_key overwritten 1',
        'insert duplicate_key k_pkey overwritten 1',
      ]);
      await session.close();
    });

    it.each(['error', 'ignore'] as const)('%s: the task stops', async (policy) => {
      await using setup = await Setup.create(SCHEMA, 'INSERT INTO t VALUES (9, 3)');
      const session = await setup.open(policy);
      const transactions = await setup.transactions(['UPDATE t SET u = u + 1']);
      await expect(session.applyTransactions(transactions)).rejects.toMatchObject({ code: 'SLUICE-5001' });
      expect(await setup.rows()).toEqual(['(1,1)', '(2,2)', '(9,3)']);
      expect(await setup.journal()).toEqual(['update duplicate_key t_u_key stopped 1']);
      await session.close();
    });
  });

  it('stops at what it cannot explain instead of dropping it', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY)',
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN RAISE unique_violation USING MESSAGE = 'no', CONSTRAINT = 't_pkey', TABLE = 't', SCHEMA = 'public'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse();
       ALTER TABLE t ENABLE ALWAYS TRIGGER refuse`,
    );
    const transactions = await setup.transactions(['INSERT INTO t VALUES (1)']);
    for (const policy of ['ignore', 'overwrite', 'error'] as const) {
      const session = await setup.open(policy);
      await expect(session.applyTransactions(transactions)).rejects.toMatchObject({
        code: 'SLUICE-5001',
        detail: expect.stringContaining('"id"=1'),
      });
      await session.close();
    }
    expect(await setup.journal()).toEqual([]);
  });

  it('touches no row of a table that a trigger writes to', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY)',
      `CREATE TABLE audit (id int PRIMARY KEY); INSERT INTO audit VALUES (1);
       CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit VALUES (NEW.id); RETURN NEW; END $$;
       CREATE TRIGGER note BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE t ENABLE ALWAYS TRIGGER note`,
    );
    const session = await setup.open('overwrite');
    const transactions = await setup.transactions(['INSERT INTO t VALUES (1)']);
    await expect(session.applyTransactions(transactions)).rejects.toMatchObject({ code: 'SLUICE-5001' });
    expect(await setup.rows('audit')).toEqual(['(1)']);
    await session.close();
  });

  it('finds rows in the way in partitions that only the target has', async () => {
    await using setup = await Setup.create(
      'CREATE TABLE t (id int PRIMARY KEY, u int, d int, UNIQUE (id, d) DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1, 1, 1)',
      `DROP TABLE t; CREATE TABLE t (id int, u int, d int, UNIQUE (id, d) DEFERRABLE INITIALLY DEFERRED) PARTITION BY RANGE (id);
       CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t2 (note text DEFAULT 'x', d int, u int, id int);
       ALTER TABLE t2 DROP note; ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (100) TO (200); CREATE UNIQUE INDEX t2_u ON t2 (u);
       INSERT INTO t VALUES (1, 1, 1), (150, 7, 7), (160, 8, 8), (170, 9, 9)`,
    );
    const session = await setup.open('overwrite');
    await session.applyTransactions(
      await setup.transactions([
        'UPDATE t SET id = 101, u = 7',
        'INSERT INTO t VALUES (102, 8, 8)',
        'INSERT INTO t VALUES (170, 10, 9)',
      ]),
    );
    await expectSameRows(setup.source, setup.target, { tables: ['public.t'] });
    expect(await setup.journal()).toEqual([
      'update duplicate_key t2_u overwritten 1',
      'insert duplicate_key t2_u overwritten 1',
      'insert duplicate_key t2_id_d_key overwritten 1',
    ]);
    await session.close();
  });

  it('rows of 1,600 columns, and very many rows in the way', async () => {
    const columns = Array.from({ length: 1_598 }, (_, index) => `c${index} int DEFAULT ${index}`).join(', ');
    await using setup = await Setup.create(
      `CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, ${columns}); INSERT INTO t (id) VALUES (1);
       CREATE TABLE r (id int PRIMARY KEY, span int4range, EXCLUDE USING gist (span WITH &&))`,
      `DELETE FROM t; INSERT INTO t (id, u) VALUES (2, 2); INSERT INTO r SELECT g, int4range(g, g + 1) FROM generate_series(1, 3000) g`,
    );
    const session = await setup.open('overwrite');
    await session.applyTransactions(
      await setup.transactions(['UPDATE t SET u = 2', "INSERT INTO r VALUES (1, '[1,5000)')"]),
    );
    await expectSameRows(setup.source, setup.target);
    expect(await setup.journal()).toEqual([
      'update missing_row - overwritten 0',
      'update duplicate_key t_u_key overwritten 1',
      'insert duplicate_key r_pkey overwritten 100',
    ]);
    await session.close();
  });

  it('keeps what was applied before a conflict and goes on once the target is repaired', async () => {
    await using setup = await Setup.create('CREATE TABLE t (id int PRIMARY KEY)', 'INSERT INTO t VALUES (2)');
    const session = await setup.open('error');
    const transactions = await setup.transactions([
      'INSERT INTO t VALUES (1)',
      'BEGIN; INSERT INTO t VALUES (7); INSERT INTO t VALUES (2); COMMIT',
      'INSERT INTO t VALUES (3)',
    ]);
    await expect(session.applyTransactions(transactions)).rejects.toMatchObject({ evidence: { changeNumber: '1' } });
    expect(await setup.rows()).toEqual(['(1)', '(2)']);
    await setup.target.query('DELETE FROM t WHERE id = 2');
    await session.applyTransactions(transactions.filter(({ endLsn }) => endLsn > session.appliedLsn));
    await expectSameRows(setup.source, setup.target);
    expect(session.conflicts).toEqual({ ignored: 0, overwritten: 0 });
    await session.close();
  });
});
