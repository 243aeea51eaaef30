import { describe, expect, it } from '@jest/globals';
import { parseLsn } from '@sluice/model';
import { connect } from '@sluice/postgres-client';
import {
  dedicatedServer,
  faultProxy,
  testDatabase,
  type TestDatabase,
  type TestDatabaseOptions,
  testServer,
  waitFor,
} from '@sluice/testing';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { type PostgresServer } from '@sluice/embedded';
import { dropSlot, readSlot, takeOverSlot, terminateSlotReader } from './slot.js';
import { type SlotToRead, startReading } from './spec-reader.js';
import { openWalStream } from './wal-stream.js';

interface SlotFixture extends SlotToRead, AsyncDisposable {
  readonly db: TestDatabase;
}

/** A database with a table, a publication of it and a slot. */
async function slotFixture(options: TestDatabaseOptions = {}): Promise<SlotFixture> {
  const db = await testDatabase({ schema: 'CREATE TABLE t (id int PRIMARY KEY, value text)', ...options });
  const name = `spec_${randomBytes(4).toString('hex')}`;
  await db.query(`CREATE PUBLICATION ${name} FOR TABLE t`);
  await db.query(`SELECT pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  return {
    db,
    endpoint: db.endpoint,
    slotName: name,
    publicationName: name,
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

async function serverWithTls(): Promise<PostgresServer> {
  const server = await dedicatedServer();
  const [key, certificate] = [path.join(server.dataDir, 'server.key'), path.join(server.dataDir, 'server.crt')];
  const subject = ['-x509', '-nodes', '-newkey', 'rsa:2048', '-subj', '/CN=localhost', '-days', '1'];
  execFileSync('openssl', ['req', ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const { uid, gid } = statSync(server.dataDir);
  for (const file of [key, certificate]) {
    chmodSync(file, 0o600);
    chownSync(file, uid, gid);
  }
  await server.restart({ settings: { ssl: 'on' } });
  return server;
}

const NEVER = new AbortController().signal;

describe('WalStream', () => {
  it('delivers a commit that directly follows the one that was confirmed', async () => {
    await using fixture = await slotFixture();
    // Two sessions prepare their changes, so that nothing stands between the two commit records.
    const [first, second] = [await fixture.db.connect(), await fixture.db.connect()];
    for (let round = 0; round < 10; round += 1) {
      for (const [index, client] of [first, second].entries()) {
        await client.query('BEGIN');
        await client.query('INSERT INTO t VALUES ($1)', [round * 2 + index]);
      }
      await Promise.all([first.query('COMMIT'), second.query('COMMIT')]);
      const reading = await startReading(fixture);
      const firstEnd = await waitFor('both commits', () => reading.commits.length >= 2 && reading.commits[0]);
      reading.stream.confirm(firstEnd);
      await reading.stream.close();
      const again = await startReading(fixture, { startLsn: firstEnd });
      const secondEnd = await waitFor('the second commit again', () => again.commits[0]);
      expect(secondEnd).toBe(reading.commits[1]);
      again.stream.confirm(secondEnd);
      await again.stream.close();
    }
    const client = await fixture.db.connect();
    const slot = await readSlot(client, fixture.slotName);
    expect(slot).toMatchObject({ exists: true, isActive: false });
  });

  it('moves the slot to exactly what was confirmed, and never back', async () => {
    await using fixture = await slotFixture();
    await fixture.db.query('INSERT INTO t VALUES (1)');
    await fixture.db.query('INSERT INTO t VALUES (2)');
    const reading = await startReading(fixture);
    const [first, second] = await waitFor('two commits', () => reading.commits.length === 2 && reading.commits);
    const client = await fixture.db.connect();
    const confirmed = async (): Promise<unknown> => {
      const slot = await readSlot(client, fixture.slotName);
      return slot.exists && slot.confirmedFlushLsn;
    };
    reading.stream.confirm(second ?? parseLsn('0/0'));
    await waitFor('the slot to move', async () => (await confirmed()) === second);
    reading.stream.confirm(first ?? parseLsn('0/0'));
    await reading.stream.close();
    expect(await confirmed()).toBe(second);
  });

  it('keeps a source alive that waits 2 s for us, while nobody reads (I7)', async () => {
    await using server = await dedicatedServer({ settings: { wal_sender_timeout: '2s' } });
    await using fixture = await slotFixture({ server });
    const reading = await startReading(fixture);
    reading.stream.pause();
    // More than all buffers between the source and here hold, so that the source waits in the middle of its rows.
    await fixture.db.query(`INSERT INTO t SELECT i, repeat('x', 2000) FROM generate_series(1, 20000) i`);
    const client = await fixture.db.connect();
    const pausedAt = Date.now();
    await waitFor('three time-outs to pass', () => Date.now() - pausedAt > 6_000);
    expect(await readSlot(client, fixture.slotName)).toMatchObject({ isActive: true });
    expect(reading.commits).toEqual([]);
    reading.stream.resume();
    await waitFor('all rows', () => reading.commits.length === 1);
    expect(reading.kinds.filter((kind) => kind === 'I')).toHaveLength(20_000);
    await reading.stream.close();
  });

  it('ends with the error of its reader, who gets nothing of what follows, and confirms none of it', async () => {
    await using fixture = await slotFixture();
    // More than one read holds, so that much of it is under way when the reader fails.
    await fixture.db.query(`INSERT INTO t SELECT i, repeat('x', 2000) FROM generate_series(1, 5000) i`);
    const client = await fixture.db.connect();
    const before = await readSlot(client, fixture.slotName);
    const { endpoint, ...names } = fixture;
    const options = { ...names, startLsn: parseLsn('0/0'), applicationName: 'spec', signal: NEVER };
    const stream = await openWalStream(endpoint, { ...options, statusIntervalMs: 100 });
    let runs = 0;
    let failure: unknown = null;
    const refuse = (): never => {
      runs += 1;
      throw new Error('the reader is broken');
    };
    const consumer = { changes: refuse, keepalive: () => undefined, exhausted: () => undefined };
    stream.read(consumer).catch((error: unknown) => (failure = error));
    await waitFor('the end', () => failure !== null);
    await fixture.db.query('INSERT INTO t VALUES (0)');
    await stream.close();
    expect(failure).toMatchObject({ cause: { message: 'the reader is broken' } });
    expect(runs).toBe(1);
    // Another reader begins where this one did.
    const reading = await startReading(fixture);
    await waitFor('both transactions', () => reading.commits.length === 2);
    expect(await readSlot(client, fixture.slotName)).toMatchObject({
      confirmedFlushLsn: before.exists && before.confirmedFlushLsn,
    });
    await reading.stream.close();
  });

  it('answers a source that asks whether anybody is there', async () => {
    await using server = await dedicatedServer();
    await using fixture = await slotFixture({ server });
    // Of ourselves we speak every 10 s, as the server's time-out was a minute then.
    const reading = await startReading(fixture);
    await fixture.db.query("ALTER SYSTEM SET wal_sender_timeout = '1s'");
    await fixture.db.query('SELECT pg_reload_conf()');
    const reloadedAt = Date.now();
    await waitFor('four time-outs', () => Date.now() - reloadedAt > 4_000);
    await fixture.db.query('INSERT INTO t VALUES (1)');
    await waitFor('the row', () => reading.commits.length === 1);
    await reading.stream.close();
  });

  it('says how far an idle source has come when it is asked', async () => {
    await using fixture = await slotFixture();
    const reading = await startReading(fixture);
    const [row] = await fixture.db.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
    const lsn = parseLsn(row?.lsn ?? '0/0');
    await waitFor('the position', () => {
      reading.stream.requestKeepalive();
      return reading.keepalives.some((walEnd) => walEnd >= lsn);
    });
    await reading.stream.close();
  });

  it.each(['unix', 'tls'] as const)('reads over %s', async (kind) => {
    await using dedicated = kind === 'tls' ? await serverWithTls() : null;
    const server = dedicated ?? (await testServer());
    await using fixture = await slotFixture({ server });
    await fixture.db.query(`INSERT INTO t SELECT i, repeat('x', i % 3000) FROM generate_series(1, 3000) i`);
    const { endpoint } = fixture.db;
    const reading = await startReading({
      ...fixture,
      endpoint: kind === 'tls' ? { ...endpoint, tls: { mode: 'require' } } : { ...endpoint, host: server.socketDir },
    });
    await waitFor('the rows', () => reading.commits.length === 1);
    expect(reading.kinds.filter((letter) => letter === 'I')).toHaveLength(3000);
    reading.stream.pause();
    await fixture.db.query(`INSERT INTO t SELECT i, 'x' FROM generate_series(3001, 4000) i`);
    reading.stream.resume();
    await waitFor('the rows after the pause', () => reading.commits.length === 2);
    await reading.stream.close();
  });

  it('reads a row of 3 MB', async () => {
    await using fixture = await slotFixture();
    await fixture.db.query(`INSERT INTO t VALUES (1, repeat('x', 3000000)), (2, 'y')`);
    const reading = await startReading(fixture);
    await waitFor('the commit', () => reading.commits.length === 1);
    expect(reading.kinds.join('')).toBe('BRIIC');
    expect(reading.bytes).toBeGreaterThan(3_000_000);
    await reading.stream.close();
  });

  it('brings interleaved transactions whole, in the order of their commits', async () => {
    await using fixture = await slotFixture();
    const [first, second] = [await fixture.db.connect(), await fixture.db.connect()];
    await first.query('BEGIN');
    await second.query('BEGIN');
    await first.query('INSERT INTO t VALUES (1)');
    await second.query('INSERT INTO t VALUES (2), (3)');
    await first.query('INSERT INTO t VALUES (4)');
    await second.query('COMMIT');
    await first.query('UPDATE t SET value = $1 WHERE id = 1', ['x']);
    await first.query('COMMIT');
    const reading = await startReading(fixture);
    await waitFor('both', () => reading.commits.length === 2);
    expect(reading.kinds.join('')).toBe('BRIICBIIUC');
    expect((reading.commits[0] ?? 0n) < (reading.commits[1] ?? 0n)).toBe(true);
    await reading.stream.close();
  });

  it('names what is wrong with slot and publication', async () => {
    await using fixture = await slotFixture();
    await expect(startReading({ ...fixture, slotName: 'missing' })).rejects.toMatchObject({ code: 'SLUICE-4001' });
    const reading = await startReading(fixture);
    await expect(startReading(fixture)).rejects.toMatchObject({ code: 'SLUICE-4002' });
    await reading.stream.close();
  });

  it.each([14, 17] as const)('says that the publication is gone (PostgreSQL %i)', async (major) => {
    await using fixture = await slotFixture({ major });
    await fixture.db.query(`DROP PUBLICATION ${fixture.publicationName}`);
    await fixture.db.query('INSERT INTO t VALUES (1)');
    const reading = await startReading(fixture);
    await expect(reading.ended).rejects.toMatchObject({ code: 'SLUICE-4005' });
  });

  it.each([13, 14, 16, 18] as const)('says that the slot was invalidated (PostgreSQL %i)', async (major) => {
    await using server = await dedicatedServer({
      major,
      settings: { max_slot_wal_keep_size: '1MB', min_wal_size: '32MB', max_wal_size: '48MB' },
    });
    await using fixture = await slotFixture({ server });
    const client = await fixture.db.connect();
    await waitFor('the slot to be lost', async () => {
      await client.query(`INSERT INTO t SELECT i FROM generate_series(1, 50000) i ON CONFLICT DO NOTHING`);
      await client.query('DELETE FROM t');
      await client.query('SELECT pg_switch_wal()');
      await client.query('CHECKPOINT');
      const slot = await readSlot(client, fixture.slotName);
      return slot.exists && slot.walStatus === 'lost';
    });
    await expect(startReading(fixture)).rejects.toMatchObject({ code: 'SLUICE-4003' });
    const takingOver = takeOverSlot(client, fixture.slotName, { signal: NEVER, deadlineMs: 1_000 });
    await expect(takingOver).rejects.toMatchObject({ code: 'SLUICE-4003' });
  });

  it('ends a stale reader to take its slot over, and drops a slot that is read', async () => {
    await using fixture = await slotFixture();
    const client = await fixture.db.connect();
    const stale = await startReading(fixture);
    await takeOverSlot(client, fixture.slotName, { signal: NEVER, deadlineMs: 10_000 });
    await expect(stale.ended).rejects.toMatchObject({ code: 'SLUICE-1012' });
    const reading = await startReading(fixture);
    expect(await terminateSlotReader(client, fixture.slotName)).toBe(true);
    await expect(reading.ended).rejects.toMatchObject({ code: 'SLUICE-1012' });
    // Its connection ends before its process gives the slot back.
    await waitFor('the slot to be free', async () => {
      const slot = await readSlot(client, fixture.slotName);
      return slot.exists && !slot.isActive;
    });
    await startReading(fixture);
    await dropSlot(client, fixture.slotName, { signal: NEVER, deadlineMs: 10_000 });
    expect(await readSlot(client, fixture.slotName)).toEqual({ exists: false });
    await dropSlot(client, fixture.slotName, { signal: NEVER, deadlineMs: 10_000 });
  });

  it('fails with a code of its own for text that has no UTF-8 form', async () => {
    await using fixture = await slotFixture({ encoding: 'WIN1252' });
    await fixture.db.query(String.raw`INSERT INTO t VALUES (1, E'\x81')`);
    const reading = await startReading(fixture);
    await expect(reading.ended).rejects.toMatchObject({ code: 'SLUICE-4010' });
  });

  it('notices a source that went away without a word', async () => {
    await using server = await dedicatedServer({ settings: { wal_sender_timeout: '1s' } });
    await using fixture = await slotFixture({ server });
    await using proxy = await faultProxy({ target: { host: server.host, port: server.port } });
    const endpoint = { ...fixture.db.endpoint, host: proxy.host, port: proxy.port };
    const reading = await startReading({ ...fixture, endpoint });
    proxy.halfOpen();
    await expect(reading.ended).rejects.toMatchObject({ code: 'SLUICE-1012' });
  });

  it('ends with the reason of its signal, and frees the slot', async () => {
    await using fixture = await slotFixture();
    const controller = new AbortController();
    const reading = await startReading(fixture, { signal: controller.signal });
    controller.abort();
    await expect(reading.ended).rejects.toMatchObject({ name: 'AbortError' });
    await using client = await connect(fixture.db.endpoint, { applicationName: 'spec' });
    await waitFor('the slot to be free', async () => {
      const slot = await readSlot(client, fixture.slotName);
      return slot.exists && !slot.isActive;
    });
  });
});
