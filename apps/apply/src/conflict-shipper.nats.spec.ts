import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { conflictRecords } from '@sluice/contracts';
import { type Bus, connectBus, serveRequests } from '@sluice/messaging';
import { ensureCheckpointTable } from '@sluice/postgres-writer';
import { createLogger } from '@sluice/telemetry';
import { testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { ConflictShipper } from './conflict-shipper.js';

const log = createLogger({ service: 'spec', level: 'silent' });

let bus: Bus;
let target: TestDatabase;
let taskId: string;

beforeEach(async () => {
  bus = await connectBus({ servers: (await testNats()).url, name: 'spec', log });
  target = await testDatabase();
  taskId = randomUUID();
  await ensureCheckpointTable(await target.connect());
});
afterEach(async () => {
  await target[Symbol.asyncDispose]();
  await bus.close();
});

async function journal(number: number): Promise<string> {
  const id = randomUUID();
  await target.query(
    `INSERT INTO sluice.conflict (conflict_id, task_id, commit_lsn, change_number, schema_name, table_name, operation, kind, action, key, target_rows)
     VALUES ($1, $2, '0/1', $3, 'public', 't', 'delete', 'missing_row', 'ignored', '{"id": "1"}', '[]')`,
    [id, taskId, number],
  );
  return id;
}

function take(kept: string[]): Disposable {
  return serveRequests(bus, conflictRecords, {
    handle: async ({ conflicts }) => ({ version: 1, recorded: kept.push(...conflicts.map((one) => one.conflictId)) }),
  });
}

const left = (): Promise<unknown[]> => target.query('SELECT conflict_id FROM sluice.conflict');

describe('ConflictShipper', () => {
  it('hands over what an earlier run left, what is met while it runs, and in the end what stopped the task', async () => {
    const [kept, counts] = [[] as string[], { ignored: 0, overwritten: 0 }];
    using _management = take(kept);
    const earlier = await journal(1);
    const shipper = new ConflictShipper(bus, { taskId, target: target.endpoint, counts: () => counts, log });
    await waitFor('the earlier one', async () => kept.includes(earlier));
    const met = await journal(2);
    counts.ignored += 1;
    await waitFor('the one that was met', async () => kept.includes(met));
    const stopped = await journal(3);
    await shipper[Symbol.asyncDispose]();
    expect(kept).toEqual([earlier, met, stopped]);
    expect(await left()).toEqual([]);
  });

  it('keeps what nobody takes, ends in time, and leaves it to the next', async () => {
    const id = await journal(1);
    const options = { taskId, target: target.endpoint, counts: () => ({ ignored: 1, overwritten: 0 }), log };
    const startedAt = performance.now();
    await new ConflictShipper(bus, options)[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(await left()).toEqual([{ conflict_id: id }]);
    const kept: string[] = [];
    using _management = take(kept);
    await new ConflictShipper(bus, options)[Symbol.asyncDispose]();
    expect(kept).toEqual([id]);
    expect(await left()).toEqual([]);
  });
});
