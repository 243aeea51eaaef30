import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_INCREMENTAL_OPTIONS } from '@sluice/contracts';
import { type TargetSession } from '@sluice/postgres-writer';
import { createLogger } from '@sluice/telemetry';
import { DdlPair, waitFor } from '@sluice/testing';
import { TableAdoption } from './table-adoption.js';

const SHOP = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE child (id int PRIMARY KEY, t_id int);
  INSERT INTO child VALUES (1, 5)`;

let pair: DdlPair;
let session: TargetSession;

beforeEach(async () => {
  pair = await DdlPair.create(SHOP, { source: 15, target: 15 });
  session = await pair.open();
});
afterEach(async () => {
  await session.close();
  await pair[Symbol.asyncDispose]();
});

function adopt(): TableAdoption {
  return new TableAdoption({
    task: {
      taskId: pair.taskId,
      name: 'spec',
      syncType: 'full_and_incremental',
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      ddlDecisions: [],
      slotName: pair.helperName,
      publicationName: 'recorded',
    },
    source: pair.source.endpoint,
    target: pair.target.endpoint,
    session,
    signal: new AbortController().signal,
    log: createLogger({ service: 'spec', level: 'silent' }),
    killPoint: () => undefined,
    onFailure: () => undefined,
  });
}

/** What the source did is on the target, and a snapshot of the tables that join waits for the stream. */
async function untilReady(adoption: TableAdoption): Promise<void> {
  await waitFor('a snapshot', () => adoption.joinLsn !== null, { deadlineMs: 20_000 });
}

describe('tables that join', () => {
  it('are left alone when the run ends right behind their copy', async () => {
    await session.applyTransactions(await pair.record('CREATE TABLE fresh (id int PRIMARY KEY)'));
    const adoption = adopt();
    await untilReady(adoption);
    await adoption.join();
    await adoption[Symbol.asyncDispose]();
    expect(adoption.failure).toBeNull();
    expect(await pair.pending()).toEqual([]);
  }, 30_000);
});
