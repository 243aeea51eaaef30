import { describe, expect, it } from '@jest/globals';
import { type DdlDecision } from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { present } from '@sluice/kernel';
import { formatLsn } from '@sluice/model';
import { DdlPair, failureOf } from '@sluice/testing';
import { runPostponed } from './postponed-statements.js';

const SHOP = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE child (id int PRIMARY KEY, t_id int);
  INSERT INTO t VALUES (1, 'one'), (2, 'two')`;

describe.each<{ source: PostgresMajor; target: PostgresMajor }>([
  { source: 15, target: 18 },
  { source: 13, target: 15 },
])('DDL of PostgreSQL $source on PostgreSQL $target', (majors) => {
  it('is executed in its place among the rows', async () => {
    await using setup = await DdlPair.create(SHOP, majors);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        "INSERT INTO t VALUES (3, 'three')",
        'ALTER TABLE t ADD COLUMN n int DEFAULT 7',
        'UPDATE t SET n = id WHERE id > 1',
        'ALTER TABLE t RENAME COLUMN v TO w',
        "INSERT INTO t VALUES (4, 'four', 4)",
        'ALTER TABLE t DROP COLUMN w',
        'INSERT INTO t VALUES (5, 5)',
        'CREATE UNIQUE INDEX t_n ON t (n)',
        'ALTER TABLE t RENAME TO u',
        'INSERT INTO u VALUES (6, 6)',
        'DROP TABLE child',
      ),
    );
    await setup.expectSame();
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(Array(6).fill('applied'));
    expect(await setup.target.query('SELECT FROM pg_class WHERE relname = $1', ['t_n'])).toHaveLength(1);
    await session.close();
  });

  it('is executed between the rows of one transaction, and forgotten with them', async () => {
    await using setup = await DdlPair.create(SHOP, majors);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        'INSERT INTO child VALUES (1, 1)',
        `BEGIN; UPDATE t SET v = 'x'; SAVEPOINT a; ALTER TABLE t ADD COLUMN never int; ROLLBACK TO a`,
        `ALTER TABLE t ADD COLUMN d date DEFAULT '2020-01-02'`,
        `INSERT INTO t VALUES (9, 'nine', '2021-02-03')`,
        'ALTER TABLE t ALTER COLUMN d TYPE timestamptz',
        `UPDATE t SET d = now() WHERE id = 1`,
        'COMMIT',
        'BEGIN; ALTER TABLE child ADD COLUMN gone int; ROLLBACK',
      ),
    );
    await setup.expectSame();
    await session.close();
  });

  it('makes the target be looked at again, also where no new description of the table comes', async () => {
    const schema = `CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE t ADD COLUMN m mood`;
    await using setup = await DdlPair.create(`${SHOP}; ${schema}`, majors);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        "UPDATE t SET m = 'sad'",
        'ALTER TYPE mood RENAME TO feeling',
        "UPDATE t SET m = 'glad' WHERE id = 1",
        "INSERT INTO t VALUES (3, 'three', 'glad')",
      ),
    );
    await setup.expectSame();
    await session.close();
  });

  it('is taken back with what was learned of tables behind it, when changes have to be written again', async () => {
    const schema = `CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TABLE t ADD COLUMN m mood, ADD COLUMN u int UNIQUE`;
    await using setup = await DdlPair.create(`${SHOP}; ${schema}`, majors);
    const session = await setup.open();
    // The table is known from before, so that its description comes again and says nothing new.
    await session.applyTransactions(await setup.record("UPDATE t SET m = 'sad', u = id"));
    await session.applyTransactions(
      await setup.record(
        "INSERT INTO t VALUES (3, 'three', 'sad', 3)",
        'ALTER TYPE mood RENAME TO feeling',
        // Folded, it meets a row in the way; one by one everything begins again, before the DDL.
        "BEGIN; UPDATE t SET u = -1, m = 'glad' WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1; COMMIT",
      ),
    );
    await setup.expectSame();
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(['applied']);
    await session.close();
  });

  it('leaves no statement prepared that was made for tables as they were', async () => {
    await using setup = await DdlPair.create(SHOP, majors);
    const session = await setup.open();
    // Filled on the target by the session that executes it: a session sees none but its own.
    const look = `CREATE MATERIALIZED VIEW kept AS SELECT name FROM pg_prepared_statements WHERE name ~ '^sluice_[0-9]+$'`;
    await session.applyTransactions(
      await setup.record(
        "UPDATE t SET v = 'x' WHERE id = 1",
        'INSERT INTO child VALUES (1, 1)',
        `BEGIN; ALTER TABLE t ADD COLUMN n int; ${look}; COMMIT`,
      ),
    );
    expect(await setup.target.query('SELECT name FROM kept')).toEqual([]);
    // What is sent again is prepared again.
    await session.applyTransactions(
      await setup.record('INSERT INTO child VALUES (2, 1)', "UPDATE t SET v = 'y', n = 1"),
    );
    await setup.expectSame();
    await session.close();
  });

  it('leaves the rows of a new table to its copy, whatever the stream brings of it', async () => {
    await using setup = await DdlPair.create(SHOP, majors);
    const session = await setup.open();
    const transactions = await setup.record(
      "INSERT INTO t VALUES (3, 'three')",
      'CREATE TABLE filled AS SELECT * FROM t',
      'CREATE TABLE fresh (id int PRIMARY KEY, v text)',
      'ALTER PUBLICATION recorded ADD TABLE fresh',
      "INSERT INTO fresh VALUES (1, 'a')",
    );
    await session.applyTransactions(transactions);
    expect(await setup.pending()).toEqual([{ table_name: 'filled' }, { table_name: 'fresh' }]);
    expect(await setup.target.query('SELECT FROM filled UNION ALL SELECT FROM fresh')).toEqual([]);
    expect(session.pending.touchedLsn).toBe(transactions.at(-1)?.commitLsn);
    await session.close();
    // Another run begins with the same.
    const next = await setup.open();
    expect(next.pending.tables.map(({ name }) => name).sort()).toEqual(['filled', 'fresh']);
    await next.applyTransactions(await setup.record('DROP TABLE filled', "INSERT INTO fresh VALUES (2, 'b')"));
    expect(await setup.pending()).toEqual([{ table_name: 'fresh' }]);
    expect(await setup.target.query('SELECT FROM fresh')).toEqual([]);
    await next.close();
  });

  it('lets a statement wait that needs the rows of a new table', async () => {
    await using setup = await DdlPair.create(`${SHOP}; INSERT INTO child VALUES (1, 5)`, majors);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        'CREATE TABLE parent (id int PRIMARY KEY)',
        'INSERT INTO parent VALUES (5)',
        'ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (t_id) REFERENCES parent',
      ),
    );
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(['applied', 'postponed']);
    expect(await setup.target.query('SELECT statement FROM sluice.adoption_step')).toHaveLength(1);
    await session.close();
  });
});

describe.each<{ source: PostgresMajor; target: PostgresMajor }>([
  { source: 15, target: 18 },
  { source: 13, target: 15 },
])('an ALTER TABLE that needs the rows of a new table: PostgreSQL $source on $target', (majors) => {
  it.each([
    {
      form: 'for one of its subcommands',
      statement:
        'ALTER TABLE child ADD COLUMN note text, ADD CONSTRAINT of_parent FOREIGN KEY (t_id) REFERENCES parent',
      later: /^ALTER TABLE child ADD CONSTRAINT of_parent FOREIGN KEY \(t_id\) REFERENCES parent$/,
    },
    {
      form: 'for the column that it adds',
      statement:
        'ALTER TABLE child ADD COLUMN note text, ADD COLUMN p int DEFAULT 5 CONSTRAINT of_parent REFERENCES parent ON DELETE CASCADE',
      later: /^ALTER TABLE child ADD CONSTRAINT of_parent FOREIGN KEY \("p"\) REFERENCES parent ON DELETE CASCADE$/,
    },
  ])('$form does what can be done, so that rows that use it are applied', async ({ statement, later }) => {
    await using setup = await DdlPair.create(`${SHOP}; INSERT INTO child VALUES (1, 5)`, majors);
    const session = await setup.open();
    await session.applyTransactions(
      await setup.record(
        'CREATE TABLE parent (id int PRIMARY KEY)',
        'INSERT INTO parent VALUES (5)',
        statement,
        "INSERT INTO child (id, t_id, note) VALUES (2, 5, 'new')",
        "UPDATE child SET note = 'old' WHERE id = 1",
      ),
    );
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(['applied', 'postponed']);
    const children = 'SELECT * FROM child ORDER BY id';
    expect(await setup.target.query(children)).toEqual(await setup.source.query(children));
    expect(await setup.target.query('SELECT statement FROM sluice.adoption_step')).toEqual([
      { statement: expect.stringMatching(later) },
    ]);
    await session.close();
    const client = await setup.target.connect();
    await client.query('BEGIN; INSERT INTO parent VALUES (5); DELETE FROM sluice.adoption');
    expect(await runPostponed(client, { taskId: setup.taskId, decisions: [] })).toMatchObject([{ outcome: 'applied' }]);
    await client.query('COMMIT');
    const keys = `SELECT conname, pg_get_constraintdef(oid) AS is FROM pg_constraint WHERE contype = 'f'`;
    expect(await setup.target.query(keys)).toEqual(await setup.source.query(keys));
  });

  it('waits as a whole when what could be done needs the rest', async () => {
    await using setup = await DdlPair.create(`${SHOP}; INSERT INTO child VALUES (1, 5)`, majors);
    const session = await setup.open();
    const statement =
      'ALTER TABLE child ADD CONSTRAINT of_parent FOREIGN KEY (t_id) REFERENCES parent, ALTER CONSTRAINT of_parent DEFERRABLE';
    await session.applyTransactions(
      await setup.record(
        'CREATE TABLE parent (id int PRIMARY KEY)',
        'INSERT INTO parent VALUES (5)',
        statement,
        'INSERT INTO child VALUES (2, 5)',
      ),
    );
    expect(await setup.target.query('SELECT statement FROM sluice.adoption_step')).toEqual([{ statement }]);
    expect(await setup.target.query('SELECT id FROM child ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    await session.close();
  });
});

describe('a DDL that the target refuses', () => {
  const MAJORS = { source: 15, target: 15 } as const;

  it('stops with its place and text, with nothing of its transaction and all before it applied', async () => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    await setup.target.query('CREATE VIEW in_the_way AS SELECT v FROM t');
    const session = await setup.open();
    const transactions = await setup.record(
      "INSERT INTO t VALUES (3, 'three')",
      'BEGIN; CREATE INDEX t_v ON t (v); DELETE FROM t WHERE id = 1',
      'ALTER TABLE t DROP COLUMN v',
      'COMMIT',
    );
    const error = await failureOf(session.applyTransactions(transactions));
    expect(error).toMatchObject({
      code: 'SLUICE-5013',
      evidence: {
        commitLsn: formatLsn(transactions[1]?.commitLsn ?? session.appliedLsn),
        number: '2',
        tag: 'ALTER TABLE',
        class: 'table',
        statement: 'ALTER TABLE t DROP COLUMN v',
        sqlState: '2BP01',
      },
    });
    expect(await setup.target.query('SELECT id FROM t ORDER BY 1')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    expect(session.appliedLsn).toBe(transactions[0]?.endLsn);
    expect(await setup.target.query('SELECT FROM pg_class WHERE relname = $1', ['t_v'])).toEqual([]);
    await session.close();

    // The person makes room and tries again: the same changes come again.
    await setup.target.query('DROP VIEW in_the_way');
    const next = await setup.open();
    await next.applyTransactions(transactions.slice(1));
    await setup.expectSame();
    await next.close();
  });

  it.each<{ decision: 'skip' | 'replace'; statement?: string; left: string[] }>([
    { decision: 'skip', left: ['id', 'v'] },
    { decision: 'replace', statement: 'ALTER TABLE t ADD COLUMN other text', left: ['id', 'v', 'other'] },
  ])('is decided on: $decision', async ({ decision, statement, left }) => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    await setup.target.query('ALTER TABLE t ADD COLUMN n int; ALTER TABLE t DROP COLUMN n');
    const transactions = await setup.record('ALTER TABLE t ADD COLUMN n int', 'CREATE INDEX t_v ON t (v)');
    const place = { commitLsn: formatLsn(present(transactions[0], 'a transaction').commitLsn), number: 1 };
    const decisions: DdlDecision[] = [
      decision === 'skip' ? { ...place, decision } : { ...place, decision, statement: statement ?? '' },
    ];
    const session = await setup.open({ decisions });
    await session.applyTransactions(transactions);
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual([
      decision === 'skip' ? 'skipped' : 'replaced',
      'applied',
    ]);
    const columns = await setup.target.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    );
    expect(columns.map(({ name }) => name)).toEqual(left);
    await session.close();
  });

  it.each<{ policy: 'skip' | 'stop'; code: string | null }>([
    { policy: 'skip', code: null },
    { policy: 'stop', code: 'SLUICE-5014' },
  ])('of a class whose policy is $policy', async ({ policy, code }) => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    const session = await setup.open({ policies: { table: policy } });
    const applied = session.applyTransactions(await setup.record('ALTER TABLE t ADD COLUMN n int'));
    if (code === null) await applied;
    else expect((await failureOf(applied)).code).toBe(code);
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(code === null ? ['skipped'] : []);
    await session.close();
  });

  it('refuses a statement that would end the transaction', async () => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    const [transaction] = await setup.record('ALTER TABLE t ADD COLUMN n int');
    const place = { commitLsn: formatLsn(present(transaction, 'a transaction').commitLsn), number: 1 };
    for (const statement of ['COMMIT', 'ALTER TABLE t ADD COLUMN n int; COMMIT']) {
      const session = await setup.open({ decisions: [{ ...place, decision: 'replace', statement }] });
      expect(await failureOf(session.applyTransactions([present(transaction, 'a transaction')]))).toMatchObject({
        code: 'SLUICE-5013',
      });
      await session.close();
    }
    expect(await setup.target.query('SELECT lsn::text FROM sluice.checkpoint')).toEqual([{ lsn: '0/0' }]);
  });

  it('passes by itself when it is a lock', async () => {
    await using setup = await DdlPair.create(SHOP, MAJORS);
    const session = await setup.open();
    const holder = await setup.target.connect();
    await holder.query('BEGIN; LOCK TABLE t IN ACCESS SHARE MODE');
    const transactions = await setup.record('ALTER TABLE t ADD COLUMN n int');
    expect((await failureOf(session.applyTransactions(transactions))).code).toBe('SLUICE-5011');
    await holder.query('ROLLBACK');
    await session.applyTransactions(transactions);
    await setup.expectSame();
    await session.close();
  }, 60_000);
});
