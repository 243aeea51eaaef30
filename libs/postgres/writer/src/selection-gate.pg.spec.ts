import { describe, expect, it } from '@jest/globals';
import { type ObjectSelection } from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { present } from '@sluice/kernel';
import { formatLsn } from '@sluice/model';
import { DdlPair, failureOf } from '@sluice/testing';

const SHOP = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE child (id int PRIMARY KEY, t_id int);
  CREATE TABLE left_out (id int PRIMARY KEY);
  CREATE TABLE root (id int) PARTITION BY LIST (id);
  CREATE TABLE leaf PARTITION OF root FOR VALUES IN (1);
  CREATE INDEX left_out_id ON left_out (id);
  CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION left_out_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`;
const OBJECTS: ObjectSelection = { level: 'database', exclude: ['*.left_*'] };
const MAJORS: { source: PostgresMajor; target: PostgresMajor }[] = [
  { source: 15, target: 18 },
  { source: 13, target: 15 },
];

/** The target as it would be had the excluded objects not been selected: they are its own, of the same names. */
const setUp = (majors: (typeof MAJORS)[number]): Promise<DdlPair> => DdlPair.create(SHOP, majors);

describe.each(MAJORS)('DDL of PostgreSQL $source on PostgreSQL $target, of chosen objects', (majors) => {
  it.each([
    ['ALTER TABLE left_out ADD COLUMN n int', 'outside'],
    ['CREATE INDEX ON left_out (id)', 'outside'],
    ['DROP INDEX left_out_id', 'outside'],
    ['CREATE TRIGGER fired BEFORE INSERT ON left_out FOR EACH ROW EXECUTE PROCEDURE left_out_f()', 'outside'],
    [`COMMENT ON TABLE left_out IS 'x'`, 'outside'],
    [`COMMENT ON COLUMN left_out.id IS 'x'`, 'outside'],
    ['CREATE POLICY p ON left_out USING (true)', 'outside'],
    ['CREATE RULE r AS ON DELETE TO left_out DO ALSO NOTIFY gone', 'outside'],
    ['GRANT SELECT ON left_out TO PUBLIC', 'outside'],
    ['GRANT EXECUTE ON FUNCTION left_out_f() TO PUBLIC', 'outside'],
    ['ALTER TABLE left_out RENAME COLUMN id TO ident', 'outside'],
    ['ALTER TABLE left_out RENAME TO left_there', 'outside'],
    ['DROP TABLE left_out', 'outside'],
    ['CREATE TABLE left_new (id serial PRIMARY KEY)', 'outside'],
    ['CREATE TABLE left_as AS SELECT 1 AS id', 'outside'],
    ['CREATE VIEW left_view AS SELECT 1 AS id', 'outside'],
    ['CREATE SEQUENCE left_sequence', 'outside'],
    ['CREATE TYPE left_type AS (a int)', 'outside'],
    ['ALTER FUNCTION left_out_f() IMMUTABLE', 'outside'],
    ['ALTER TABLE t ADD COLUMN n int', 'applied'],
    ['CREATE INDEX ON t (v)', 'applied'],
    ['GRANT SELECT ON t TO PUBLIC', 'applied'],
    ['CREATE TABLE left_leaf PARTITION OF root FOR VALUES IN (2)', 'applied'],
    ['CREATE SCHEMA other', 'applied'],
    ['CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 2$$', 'applied'],
    [`COMMENT ON TABLE leaf IS 'x'`, 'applied'],
    ['DROP TABLE leaf', 'applied'],
  ])('%s: %s', async (statement, outcome) => {
    await using setup = await setUp(majors);
    const session = await setup.open({ objects: OBJECTS });
    const before = await setup.target.query('SELECT count(*)::int AS n FROM pg_class');
    await session.applyTransactions(await setup.record(statement));
    expect(setup.executed.map((ddl) => ddl.outcome)).toEqual([outcome]);
    if (outcome === 'outside')
      expect(await setup.target.query('SELECT count(*)::int AS n FROM pg_class')).toEqual(before);
    await session.close();
  });

  it('drops of several only those of the task', async () => {
    await using setup = await setUp(majors);
    const session = await setup.open({ objects: OBJECTS });
    await session.applyTransactions(await setup.record('DROP TABLE left_out, child'));
    expect(
      await setup.target.query(`SELECT to_regclass('left_out') IS NOT NULL AS own, to_regclass('child') AS child`),
    ).toEqual([{ own: true, child: null }]);
    await session.close();
  });

  it('stops where it names some of each, and a person decides', async () => {
    await using setup = await setUp(majors);
    const session = await setup.open({ objects: OBJECTS });
    const failure = await failureOf(
      session.applyTransactions(await setup.record('GRANT SELECT ON left_out, child TO PUBLIC')),
    );
    expect(failure).toMatchObject({ code: 'SLUICE-5013', detail: expect.stringContaining('some of each') });
    await session.close();
  });

  it('a table that is followed stays with the task under any name, also in later sessions', async () => {
    await using setup = await setUp(majors);
    const session = await setup.open({ objects: OBJECTS });
    await session.applyTransactions(
      await setup.record(
        'ALTER TABLE t RENAME TO left_t',
        'ALTER TABLE left_t ADD COLUMN n int',
        'INSERT INTO left_t VALUES (1, $$a$$, 2)',
      ),
    );
    await session.close();
    const later = await setup.open({ objects: OBJECTS });
    await later.applyTransactions(
      await setup.record(
        'ALTER TABLE left_t ADD COLUMN m int',
        'ALTER TABLE left_t RENAME TO t',
        'INSERT INTO t VALUES (2, $$b$$, 3, 4)',
      ),
    );
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(Array(4).fill('applied'));
    expect(await setup.target.query('SELECT * FROM t ORDER BY 1')).toEqual(
      await setup.source.query('SELECT * FROM t ORDER BY 1'),
    );
    expect(await setup.target.query('SELECT FROM sluice.selection_exception')).toEqual([]);
    await later.close();
  });

  it('a table that is renamed into the selection stops the task; skipped it stays outside, replaced it joins', async () => {
    await using setup = await setUp(majors);
    await setup.target.query('DROP TABLE left_out');
    const session = await setup.open({ objects: OBJECTS });
    const transactions = (await setup.record('ALTER TABLE left_out RENAME TO came_in')).slice(-1);
    const failure = await failureOf(session.applyTransactions(transactions));
    expect(failure).toMatchObject({ code: 'SLUICE-5016', detail: expect.stringContaining('"public"."came_in"') });
    await session.close();
    const place = { commitLsn: formatLsn(present(transactions[0], 'transaction').commitLsn), number: 1 };
    const skipping = await setup.open({ objects: OBJECTS, decisions: [{ ...place, decision: 'skip' }] });
    await skipping.applyTransactions(transactions);
    await skipping.applyTransactions(await setup.record('ALTER TABLE came_in ADD COLUMN n int'));
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(['skipped', 'outside']);
    await skipping.close();
  });

  it('and replaced by its creation it joins with its rows', async () => {
    await using setup = await setUp(majors);
    await setup.target.query('DROP TABLE left_out');
    const transactions = (await setup.record('ALTER TABLE left_out RENAME TO came_in')).slice(-1);
    const place = { commitLsn: formatLsn(present(transactions[0], 'transaction').commitLsn), number: 1 };
    const statement = 'CREATE TABLE public.came_in (id int PRIMARY KEY)';
    const session = await setup.open({ objects: OBJECTS, decisions: [{ ...place, decision: 'replace', statement }] });
    await session.applyTransactions(transactions);
    expect(await setup.pending()).toEqual([{ table_name: 'came_in' }]);
    await session.close();
  });

  it('a partition that leaves its tree stays with the task; one with rows of its own does not come in by itself', async () => {
    await using setup = await setUp(majors);
    const objects: ObjectSelection = {
      level: 'table',
      objects: [
        { kind: 'table', schema: 'public', name: 't' },
        { kind: 'table', schema: 'public', name: 'root' },
      ],
    };
    const session = await setup.open({ objects });
    await session.applyTransactions(
      await setup.record('ALTER TABLE root DETACH PARTITION leaf', 'ALTER TABLE leaf ADD COLUMN n int'),
    );
    expect(setup.executed.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
    await session.applyTransactions(await setup.record('CREATE TABLE loose (id int)'));
    expect(setup.executed.at(-1)?.outcome).toBe('outside');
    const failure = await failureOf(
      session.applyTransactions(await setup.record('ALTER TABLE root ATTACH PARTITION loose FOR VALUES IN (9)')),
    );
    expect(failure.code).toBe('SLUICE-5016');
    await session.close();
  });
});
