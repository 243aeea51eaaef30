import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { type Check, passed } from './check.js';
import { CHECKS } from './checks.js';
import { runPrechecks } from './run-prechecks.js';

const OTHER: Check = { id: 'other', title: 'Other', run: async () => passed('fine') };

function check(id: string, run: Check['run'], dependsOn: readonly string[] = []): Check {
  return { id, title: id, run, dependsOn };
}

describe('runPrechecks', () => {
  it.each([
    { source: 10, target: 10 },
    { source: 15, target: 18 },
  ] as const)('passes for a fresh pair of databases from $source to $target', async ({ source, target }) => {
    await using left = await testDatabase({ major: source, schema: 'CREATE TABLE t (id int PRIMARY KEY)' });
    await using right = await testDatabase({ major: target });
    const result = await runPrechecks({ source: left.endpoint, target: right.endpoint });
    expect(result.checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'blocked')).toEqual([]);
    expect(result.passed).toBe(true);
    expect(result.checks.map(({ id }) => id)).toEqual(CHECKS.map(({ id }) => id));
  });

  it('changes nothing on either server', async () => {
    await using db = await testDatabase();
    const trespasser = check('trespasser', async ({ target }) => {
      await target.query('CREATE TABLE trespass (a int)');
      return passed('created');
    });
    const result = await runPrechecks({ source: db.endpoint, target: db.endpoint }, { checks: [trespasser, OTHER] });
    expect(result.checks.map(({ outcome }) => outcome)).toEqual(['failed', 'passed']);
    expect(result.checks[0]?.evidence).toContain('read-only transaction');
  });

  it('blocks what depends on a check that failed, also indirectly', async () => {
    await using db = await testDatabase();
    const checks = [
      check('a', () => Promise.resolve({ outcome: 'failed', evidence: 'e', reason: 'r', fix: 'f' })),
      check('b', OTHER.run, ['a']),
      check('c', OTHER.run, ['b']),
      OTHER,
    ];
    const result = await runPrechecks({ source: db.endpoint, target: db.endpoint }, { checks });
    expect(result.passed).toBe(false);
    expect(result.checks.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['a', 'failed'],
      ['b', 'blocked'],
      ['c', 'blocked'],
      ['other', 'passed'],
    ]);
    expect(result.checks[2]?.reason).toContain('b');
  });

  it('lets warnings pass', async () => {
    await using db = await testDatabase();
    const warns = check('w', () => Promise.resolve({ outcome: 'warning', evidence: 'e', reason: 'r', fix: 'f' }));
    const result = await runPrechecks({ source: db.endpoint, target: db.endpoint }, { checks: [warns] });
    expect(result).toMatchObject({ passed: true, checks: [{ outcome: 'warning' }] });
  });

  it('gives up on a check that takes too long and runs the others', async () => {
    await using db = await testDatabase();
    const slow = check('slow', async ({ source }) => {
      await source.query('SELECT pg_sleep(60)');
      return passed('');
    });
    const never = check('never', () => new Promise(() => undefined));
    const result = await runPrechecks(
      { source: db.endpoint, target: db.endpoint },
      { checks: [slow, never, OTHER], checkTimeoutMs: 300, parallelMax: 1 },
    );
    expect(result.checks.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'passed']);
  });

  it('leaves out what a task of this kind does not need', async () => {
    await using db = await testDatabase();
    const endpoints = { source: db.endpoint, target: db.endpoint };
    const fullOnly: Check = { ...OTHER, onlyFor: ['full'] };
    expect((await runPrechecks(endpoints, { checks: [fullOnly], syncType: 'full' })).checks).toHaveLength(1);
    expect((await runPrechecks(endpoints, { checks: [fullOnly], syncType: 'incremental' })).checks).toHaveLength(0);
  });

  it('rejects when a connection is lost, so that the run can be repeated', async () => {
    await using db = await testDatabase();
    const cut = check('cut', async ({ source }) => {
      await source.query('SELECT pg_terminate_backend(pg_backend_pid())');
      return passed('');
    });
    await expect(
      runPrechecks({ source: db.endpoint, target: db.endpoint }, { checks: [cut, OTHER] }),
    ).rejects.toMatchObject({ code: 'SLUICE-1012' });
    await expect(
      runPrechecks({ source: { ...db.endpoint, database: 'no_such' }, target: db.endpoint }, { checks: [OTHER] }),
    ).rejects.toMatchObject({ code: 'SLUICE-1007' });
  });

  it('refuses a list out of order', async () => {
    await using db = await testDatabase();
    const checks = [check('b', OTHER.run, ['a']), check('a', OTHER.run)];
    await expect(runPrechecks({ source: db.endpoint, target: db.endpoint }, { checks })).rejects.toThrow('check b');
  });
});
