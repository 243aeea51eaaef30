import { describe, expect, it } from '@jest/globals';
import { testDatabase } from '@sluice/testing';
import { runOneCheck } from '../run-one-check.js';
import { sourceUnsupportedObjects } from './source-unsupported-objects.js';

describe('source-unsupported-objects', () => {
  it('passes when everything can be created, and warns of what cannot', async () => {
    await using db = await testDatabase({ schema: 'CREATE TABLE t (id int PRIMARY KEY)' });
    await using other = await testDatabase();
    const endpoints = { source: db.endpoint, target: other.endpoint };
    expect((await runOneCheck(sourceUnsupportedObjects, endpoints)).outcome).toBe('passed');
    await db.query('SELECT lo_create(0)');
    const report = await runOneCheck(sourceUnsupportedObjects, endpoints);
    expect(report).toMatchObject({ outcome: 'warning', evidence: '1 left out: 1 large objects' });
  });
});
