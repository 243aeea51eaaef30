import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_INCREMENTAL_OPTIONS, DEFAULT_USER_OPTIONS, type DdlDecision, EVERYTHING } from '@sluice/contracts';
import { type TargetSession } from '@sluice/postgres-writer';
import { createLogger } from '@sluice/telemetry';
import { DdlPair, waitFor } from '@sluice/testing';
import { TableAdoption } from './table-adoption.js';

const SHOP = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE child (id int PRIMARY KEY, t_id int);
  INSERT INTO child VALUES (1, 5)`;
const FOREIGN_KEY = 'ALTER TABLE child ADD CONSTRAINT child_parent FOREIGN KEY (t_id) REFERENCES parent';

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

function adopt(decisions: DdlDecision[] = []): TableAdoption {
  return new TableAdoption({
    task: {
      taskId: pair.taskId,
      name: 'spec',
      syncType: 'full_and_incremental',
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      objects: EVERYTHING,
      ddlDecisions: decisions,
      users: DEFAULT_USER_OPTIONS,
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
  await waitFor('a snapshot', () => adoption.joinLsn !== null);
}

describe('tables that join', () => {
  it('do not when the target refuses what waited for their rows; it is shown, and a person decides', async () => {
    await pair.target.query('INSERT INTO child VALUES (2, 99)');
    await session.applyTransactions(
      await pair.record('CREATE TABLE parent (id int PRIMARY KEY)', 'INSERT INTO parent VALUES (5)', FOREIGN_KEY),
    );
    let place = { commitLsn: '', number: 0 };
    {
      await using adoption = adopt();
      await untilReady(adoption);
      await adoption.join();
      await waitFor('the failure', () => adoption.failure !== null);
      expect(adoption.failure).toMatchObject({
        code: 'SLUICE-5013',
        evidence: { statement: FOREIGN_KEY, sqlState: '23503', number: '1' },
      });
      place = { commitLsn: adoption.failure?.evidence?.['commitLsn'] ?? '', number: 1 };
      expect(session.pending.tables).toHaveLength(1);
    }
    await using adoption = adopt([{ ...place, decision: 'replace', statement: `${FOREIGN_KEY} NOT VALID` }]);
    await untilReady(adoption);
    await adoption.join();
    expect(session.pending.tables).toEqual([]);
    expect(await pair.target.query('SELECT id FROM parent')).toEqual([{ id: 5 }]);
    expect(await pair.target.query(`SELECT conname FROM pg_constraint WHERE contype = 'f'`)).toEqual([
      { conname: 'child_parent' },
    ]);
  });

  it('are left alone when the run ends right behind their copy', async () => {
    await session.applyTransactions(await pair.record('CREATE TABLE fresh (id int PRIMARY KEY)'));
    const adoption = adopt();
    await untilReady(adoption);
    await adoption.join();
    await adoption[Symbol.asyncDispose]();
    expect(adoption.failure).toBeNull();
    expect(await pair.pending()).toEqual([]);
  }, 30_000);

  it('do not keep the stream from going on while somebody holds a lock on them on the source', async () => {
    await session.applyTransactions(
      await pair.record('CREATE TABLE fresh (id int PRIMARY KEY)', 'INSERT INTO fresh VALUES (1)'),
    );
    await using adoption = adopt();
    await untilReady(adoption);
    const holder = await pair.source.connect();
    await holder.query('BEGIN; LOCK TABLE fresh');
    await adoption.join();
    await session.applyTransactions(await pair.record("INSERT INTO t VALUES (1, 'meanwhile')"));
    expect(await pair.target.query('SELECT v FROM t')).toEqual([{ v: 'meanwhile' }]);
    expect(session.pending.tables).toHaveLength(1);
    await holder.query('COMMIT');
    await untilReady(adoption);
    await adoption.join();
    expect(await pair.target.query('SELECT id FROM fresh')).toEqual([{ id: 1 }]);
  }, 60_000);

  it('hold the stream back for a while only when a transaction of the source keeps their snapshot from being made', async () => {
    await session.applyTransactions(
      await pair.record('CREATE TABLE fresh (id int PRIMARY KEY)', 'ALTER PUBLICATION recorded ADD TABLE fresh'),
    );
    await using adoption = adopt();
    await untilReady(adoption);
    // The stream has passed the snapshot with a change of the table: the next is made while nothing is written.
    await session.applyTransactions(await pair.record('INSERT INTO fresh VALUES (1)'));
    const writer = await pair.source.connect();
    await writer.query("BEGIN; INSERT INTO t VALUES (2, 'long')");
    await adoption.join();
    const isBeingMade = async (): Promise<boolean> => {
      const slots = await pair.source.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'CREATE_REPLICATION_SLOT%'`,
      );
      return slots.length === 1;
    };
    await waitFor('a snapshot to be waited for', isBeingMade);
    await adoption.gate();
    expect(await isBeingMade()).toBe(true);
    await writer.query('COMMIT');
    await untilReady(adoption);
    await adoption.join();
    expect(await pair.target.query('SELECT id FROM fresh')).toEqual([{ id: 1 }]);
  }, 60_000);
});
