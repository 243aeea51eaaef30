import { describe, expect, it } from '@jest/globals';
import { connect } from '@sluice/postgres-client';
import { dedicatedServer, testDatabase } from '../index.js';

describe('dedicatedServer', () => {
  it('keeps committed rows over kill9, restart and each way to stop', async () => {
    await using server = await dedicatedServer({ settings: { work_mem: '7MB' } });
    await using database = await testDatabase({ server, schema: 'CREATE TABLE t AS SELECT 1 AS a' });
    const readRows = async (): Promise<unknown[]> => {
      await using client = await connect(database.endpoint, { applicationName: 'spec' });
      const { rows } = await client.query("SELECT a, current_setting('work_mem') AS work_mem FROM t");
      return rows;
    };
    for (const end of [() => server.kill9(), () => server.stop('immediate'), () => server.stop('fast')]) {
      await end();
      expect(server.isRunning()).toBe(false);
      await server.restart();
      expect(await readRows()).toEqual([{ a: 1, work_mem: '7MB' }]);
    }
    await server.restart({ mode: 'immediate' });
    expect(await readRows()).toEqual([{ a: 1, work_mem: '7MB' }]);
  });
});
