import { describe, expect, it, jest } from '@jest/globals';
import { type StageRun } from '@sluice/contracts';
import { consumeRuns, desiredStates, storedRunSubjects } from '@sluice/messaging';
import { dedicatedNats, testDatabase, waitFor } from '@sluice/testing';
import { ADMIN_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(90_000);

async function startTask(service: TestService, name: string): Promise<string> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
  const endpoint = { host: 'db.test', port: 5432, database: 'shop', user: 'app', password: 'p' };
  const body = JSON.stringify({ name, source: endpoint, target: endpoint });
  const created = await fetch(`${service.url}/api/v1/tasks`, { method: 'POST', headers, body });
  const { id } = JSON.parse(await created.text());
  const started = await fetch(`${service.url}/api/v1/tasks/${id}/start`, { method: 'POST', headers });
  expect(started.status).toBe(200);
  return String(id);
}

describe('a bus that was wiped', () => {
  it('gets back the runs and orders of active tasks, with the same run id', async () => {
    await using nats = await dedicatedNats();
    await using database = await testDatabase();
    await using service = await startTestService({ databaseUrl: database.url, natsUrl: nats.url });
    const taskId = await startTask(service, 'wiped-bus');
    const expected = await service.metadata.tasks.expectedRuns();
    const subject = `sluice.v1.run.connection-test.${taskId}`;
    await waitFor('the run on the bus', async () => (await storedRunSubjects(service.bus)).has(subject));

    await nats.restart({ wipe: true });

    const back = async (): Promise<boolean> =>
      (await storedRunSubjects(service.bus).catch(() => new Set())).has(subject);
    await waitFor('the run to be published again', back);
    const order = await waitFor('the order', async () => (await desiredStates(service.bus).get(taskId)) ?? undefined);
    expect(order).toMatchObject({ desired: 'running', epoch: 1 });
    const stop = new AbortController();
    const given = await new Promise<StageRun>((resolve) => {
      const handle = async (run: StageRun): Promise<void> => resolve(run);
      void consumeRuns(service.bus, { stage: 'connection-test', concurrency: 1, signal: stop.signal, handle });
    });
    stop.abort();
    expect(given).toEqual(expected[0]?.run);
  });
});
