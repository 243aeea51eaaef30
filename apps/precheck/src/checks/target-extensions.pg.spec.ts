import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { compareVersions, targetExtensions } from './target-extensions.js';

describe('target-extensions', () => {
  it('passes when the target can have them', async () => {
    await using source = await testDatabase({ major: 15, schema: 'CREATE EXTENSION hstore' });
    await using target = await testDatabase({ major: 18 });
    const report = await runOneCheck(targetExtensions, { source: source.endpoint, target: target.endpoint });
    expect(report).toMatchObject({ outcome: 'passed', evidence: expect.stringContaining('hstore 1.') });
  });

  it('fails for one that the target lacks', async () => {
    await using source = await testDatabase({ major: 15, schema: 'CREATE EXTENSION adminpack' });
    await using target = await testDatabase({ major: 18 });
    const report = await runOneCheck(targetExtensions, { source: source.endpoint, target: target.endpoint });
    expect(report).toMatchObject({ outcome: 'failed', evidence: 'adminpack 2.1 is not available on the target' });
  });

  it('fails for one that is installed in an older version, until it is updated', async () => {
    await using source = await testDatabase({ major: 18, schema: 'CREATE EXTENSION hstore' });
    await using target = await testDatabase({ major: 18, schema: "CREATE EXTENSION hstore VERSION '1.4'" });
    const endpoints = { source: source.endpoint, target: target.endpoint };
    const report = await runOneCheck(targetExtensions, endpoints);
    expect(report).toMatchObject({ outcome: 'failed', fix: 'ALTER EXTENSION "hstore" UPDATE;' });
    await target.query(report.fix ?? '');
    expect((await runOneCheck(targetExtensions, endpoints)).outcome).toBe('passed');
  });

  it('fails for one that the target has in an older version only', async () => {
    await using source = await testDatabase({ major: 18, schema: 'CREATE EXTENSION pg_stat_statements' });
    await using target = await testDatabase({ major: 15 });
    const report = await runOneCheck(targetExtensions, { source: source.endpoint, target: target.endpoint });
    expect(report).toMatchObject({ outcome: 'failed', evidence: expect.stringContaining('and the target has 1.10') });
  });

  it('orders versions by their numbers', () => {
    expect(['1.10', '1.9', '2.0dev', '1.2.3'].toSorted(compareVersions)).toEqual(['1.2.3', '1.9', '1.10', '2.0dev']);
  });
});
