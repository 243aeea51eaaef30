import { describe, expect, it } from '@jest/globals';
import { parseLsn } from '@sluice/model';
import { testDatabase } from '@sluice/testing';
import { compareDatabases } from './compare-databases.js';
import { exportComparisonSnapshot } from './comparison-snapshot.js';

const SCHEMA = 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);';

describe('exportComparisonSnapshot', () => {
  it('shows the source as it was at an exact LSN while others write on', async () => {
    await using source = await testDatabase({ schema: SCHEMA });
    await using target = await testDatabase({ schema: SCHEMA });
    const currentLsn = async (): Promise<bigint> => {
      const [row] = await source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      return parseLsn(row?.lsn ?? '');
    };
    const before = await currentLsn();
    await using snapshot = await exportComparisonSnapshot(source.endpoint);
    await source.query('INSERT INTO t VALUES (2)');
    expect(parseLsn(snapshot.consistentLsn) >= before).toBe(true);
    expect(parseLsn(snapshot.consistentLsn) < (await currentLsn())).toBe(true);

    const clients = [await source.connect(), await target.connect()] as const;
    const asOfSnapshot = await compareDatabases(...clients, {
      sourceSnapshot: snapshot.snapshotName,
      parallel: { sessionCount: 2, source: source.endpoint, target: target.endpoint },
    });
    expect(asOfSnapshot.equal).toBe(true);
    expect((await compareDatabases(...clients)).equal).toBe(false);
  });

  it('leaves no slot behind', async () => {
    await using source = await testDatabase({ schema: SCHEMA });
    const slots = 'SELECT count(*)::int AS count FROM pg_replication_slots WHERE database = $1';
    const snapshot = await exportComparisonSnapshot(source.endpoint);
    expect(await source.query(slots, [source.name])).toEqual([{ count: 1 }]);
    await snapshot[Symbol.asyncDispose]();
    await expect(exportComparisonSnapshot({ ...source.endpoint, database: 'nope' })).rejects.toMatchObject({
      code: 'SLUICE-1007',
    });
  });

  it('says why no slot can be created', async () => {
    await using source = await testDatabase({ schema: SCHEMA, major: 15 });
    const role = await source.createRole();
    await expect(exportComparisonSnapshot(role)).rejects.toMatchObject({
      code: expect.stringMatching(/SLUICE-(1013|3005)/),
    });
  });
});
