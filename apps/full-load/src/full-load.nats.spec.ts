import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  conflictRecords,
  type DesiredState,
  helperObjectName,
  type Stage,
  type StageEvent,
  stageEvents,
  type TaskSpec,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import {
  type Bus,
  connectBus,
  consumeEvents,
  desiredStates,
  publishRun,
  serveCredentials,
  serveRequests,
} from '@sluice/messaging';
import { isFinisherAtWork, readOpenJoin } from '@sluice/postgres-snapshot';
import { createLogger } from '@sluice/telemetry';
import {
  EVERY_TYPE,
  expectSameRows,
  faultProxy,
  KEYLESS,
  ORDERS,
  PARTITIONED,
  QUOTED_NAMES,
  testDatabase,
  type TestDatabase,
  testNats,
  waitFor,
} from '@sluice/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { startLoadServices } from './spec-services.js';

const BUS_KEY = randomBytes(32).toString('base64');
const log = createLogger({ service: 'spec', level: 'silent' });

let cleanups: (() => Promise<unknown>)[] = [];
let source: TestDatabase;
let target: TestDatabase;
let bus: Bus;
let events: StageEvent[];
let task: TaskSpec;
/** Where services find the databases; tests put a proxy there. */
let address: { source: { host: string; port: number }; target: { host: string; port: number } };

beforeEach(async () => {
  const stop = new AbortController();
  const nats = await testNats();
  bus = await connectBus({ servers: nats.url, name: 'spec', log });
  await bus.ensureTopology();
  [source, target] = [await testDatabase(), await testDatabase()];
  const taskId = randomUUID();
  const name = helperObjectName(taskId);
  task = {
    taskId,
    name: 'spec',
    syncType: 'full_and_incremental',
    slotName: name,
    publicationName: name,
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: DEFAULT_USER_OPTIONS,
  };
  address = { source: source.endpoint, target: target.endpoint };
  const input = ({ endpoint }: TestDatabase, { host, port }: { host: string; port: number }) => ({
    ...endpoint,
    host,
    port,
    password: endpoint.password.reveal(),
    tls: { mode: 'disable' as const },
  });
  const lookup = (id: string) =>
    Promise.resolve(
      id === taskId ? { source: input(source, address.source), target: input(target, address.target) } : null,
    );
  serveCredentials(bus, { busKey: new Secret(BUS_KEY), lookup, signal: stop.signal });
  events = [];
  const listening = consumeEvents(bus, {
    subject: stageEvents,
    durableName: `spec_${name}`,
    handle: (event) => Promise.resolve(void (event.taskId === taskId && events.push(event))),
    signal: stop.signal,
  });
  cleanups = [
    async () => {
      stop.abort();
      await listening;
      await bus.close();
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  ];
});

afterEach(async () => {
  for (const close of cleanups.toReversed()) await close();
});

/** Starts the services, in this process. @returns what stops them. */
function startServices(environment: Record<string, string> = {}): () => Promise<void> {
  const variables = { SLUICE_BUS_KEY: BUS_KEY, SLUICE_FULL_LOAD_CHUNK_MB: '1', ...environment };
  const close = startLoadServices({ bus, log, environment: variables });
  cleanups.push(close);
  return close;
}

function order(stage: 'full-load' | 'finish-load' | 'cleanup', epoch = 1): Promise<void> {
  return publishRun(bus, { version: 1, runId: randomUUID(), epoch, task, stage });
}

function ended(stage: Stage, epoch = 1): Promise<StageEvent> {
  return waitFor(`the end of ${stage} ${epoch}`, () =>
    events.find(
      (event) =>
        event.stage === stage && event.epoch === epoch && ['succeeded', 'failed', 'stopped'].includes(event.outcome),
    ),
  );
}

function desire(desired: DesiredState['desired'], epoch: number, more: Partial<DesiredState> = {}): Promise<void> {
  return desiredStates(bus).put(task.taskId, { version: 1, desired, epoch, ...more });
}

/** Some chunks are done, and many are not. */
function chunksDone(count: number): Promise<unknown> {
  return waitFor(`${count} chunks`, async () => {
    const [row] = await target.query("SELECT to_regclass('sluice.chunk')::text AS name");
    if (row?.['name'] === null) return false;
    const [{ done } = { done: 0 }] = await target.query<{ done: number }>(
      'SELECT count(done_at)::int AS done FROM sluice.chunk',
    );
    return done >= count;
  });
}

const LARGE = `
  CREATE TABLE large (id int PRIMARY KEY, filler text);
  CREATE INDEX ON large (filler);
  INSERT INTO large SELECT i, md5(i::text) || repeat('x', 300) FROM generate_series(1, 150000) AS i;`;

const BANK = `
  CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL);
  CREATE TABLE booking (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account int NOT NULL REFERENCES account, amount int NOT NULL);
  INSERT INTO account SELECT i, 0 FROM generate_series(1, 200) AS i;`;

/** The parents are the largest chunk. */
const FAMILY = `
  CREATE TABLE parent (id int PRIMARY KEY, filler text);
  CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
  INSERT INTO parent SELECT i, repeat('x', 400) FROM generate_series(1, 3000) AS i;
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE TRIGGER t AFTER INSERT ON child EXECUTE FUNCTION nothing();
  CREATE MATERIALIZED VIEW joined AS
    SELECT count(*) AS orphans FROM child LEFT JOIN parent ON parent.id = child.parent WHERE parent.id IS NULL;`;

/** What is not built yet. */
async function open(): Promise<(string | undefined)[]> {
  const rows = await target.query<{ identity: string }>(
    'SELECT identity FROM sluice.build_step WHERE done_at IS NULL ORDER BY identity',
  );
  return rows.map(({ identity }) => identity.split(' "')[0]);
}

/** Executes a statement again and again until it is stopped. */
function keepWriting(statement: string): () => Promise<void> {
  let isStopped = false;
  const writing = (async () => {
    const writer = await source.connect();
    while (!isStopped) await writer.query(statement);
  })();
  return async () => {
    isStopped = true;
    await writing;
  };
}

/** Books at random until it is stopped; each account's balance is the sum of its bookings, in every snapshot. */
function keepBooking(): () => Promise<void> {
  return keepWriting(`WITH b AS (INSERT INTO booking (account, amount) SELECT 1 + (random() * 199)::int, (random() * 9)::int RETURNING *)
    UPDATE account SET balance = balance + b.amount FROM b WHERE account.id = b.account`);
}

const UNBALANCED = `SELECT id FROM account WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM booking WHERE account = account.id)`;

describe('a full load', () => {
  it('brings structure and rows of one moment while the source is written to', async () => {
    await source.query([EVERY_TYPE, KEYLESS, ORDERS, PARTITIONED, QUOTED_NAMES].join(';\n'));
    await source.query(LARGE);
    await source.query(BANK);
    const stopBooking = keepBooking();
    startServices();
    await order('full-load');
    const end = await ended('full-load');
    await stopBooking();
    expect(end).toMatchObject({ outcome: 'succeeded', result: { stage: 'full-load' } });
    expect(await target.query(UNBALANCED)).toEqual([]);
    const [checkpoint] = await target.query('SELECT lsn::text, epoch::int FROM sluice.checkpoint');
    const [slot] = await source.query(
      'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [task.slotName],
    );
    expect(checkpoint).toEqual({ lsn: slot?.['lsn'], epoch: 0 });
    expect(end.outcome === 'succeeded' && end.result).toMatchObject({ consistentLsn: slot?.['lsn'] });
    const [{ count } = { count: 0 }] = await target.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM pg_constraint WHERE conrelid = 'booking'::regclass AND contype = 'f'",
    );
    expect(count).toBe(1);
    // Bookings went on after the snapshot; without them both sides are the same.
    await source.query('TRUNCATE booking, account');
    await target.query('TRUNCATE booking, account');
    await expectSameRows(source, target);
    const [sequence] = await target.query<{ next: number }>(`SELECT nextval('booking_id_seq')::int AS next`);
    expect(sequence?.next).toBeGreaterThan(1);
  });

  it('publishes a table that is created while the slot waits, before its rows are copied', async () => {
    await source.query(ORDERS);
    const creator = await source.connect();
    await creator.query('BEGIN; CREATE TABLE late (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, filler text)');
    await creator.query(`INSERT INTO late (filler) SELECT 'x' FROM generate_series(1, 100)`);
    startServices();
    await order('full-load');
    await waitFor('the slot to wait', async () => {
      const rows = await source.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND wait_event_type = 'Lock'
         AND datname = current_database()`,
      );
      return rows.length > 0;
    });
    await creator.query('COMMIT');
    const stopWriting = keepWriting('INSERT INTO late (filler) VALUES (md5(random()::text))');
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    await stopWriting();
    expect(await target.query('SELECT generation FROM sluice.load')).toEqual([{ generation: 2 }]);
    const [copy] = await target.query<{ rows: number; startLsn: string }>(
      `SELECT (SELECT count(*) FROM late)::int AS rows, start_lsn::text AS "startLsn"
       FROM sluice.table_load WHERE table_name = 'late'`,
    );
    // Each row came in a transaction of its own; a change's position at the commit is behind the commit.
    const [changes] = await source.query<{ transactions: number }>(
      `SELECT count(*)::int AS transactions FROM (
         SELECT xid FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)
         GROUP BY xid HAVING bool_or(get_byte(data, 0) = ascii('I')) AND max(lsn) > $3::pg_lsn) AS t`,
      [task.slotName, task.publicationName, copy?.startLsn],
    );
    const [all] = await source.query('SELECT count(*)::int AS rows FROM late');
    expect(changes?.transactions).toBeGreaterThan(0);
    expect(all).toEqual({ rows: (copy?.rows ?? 0) + (changes?.transactions ?? 0) });
  });

  it('publishes and copies what is selected under its snapshot, also when names change while the slot waits', async () => {
    task = { ...task, objects: { level: 'database', exclude: ['*.left_*'] } };
    await source.query(`CREATE TABLE stays (id int PRIMARY KEY); CREATE TABLE goes (id int PRIMARY KEY);
      CREATE TABLE left_comes (id serial PRIMARY KEY); CREATE TABLE left_there (id int PRIMARY KEY);
      INSERT INTO stays VALUES (1); INSERT INTO goes VALUES (1); INSERT INTO left_comes VALUES (41); INSERT INTO left_there VALUES (1)`);
    await target.query(`CREATE TABLE left_there (mine text); INSERT INTO left_there VALUES ('mine')`);
    const renaming = await source.connect();
    await renaming.query('BEGIN; SELECT txid_current()');
    startServices();
    await order('full-load');
    await waitFor('the slot to wait', async () => {
      const rows = await source.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND wait_event_type = 'Lock'
         AND datname = current_database()`,
      );
      return rows.length > 0;
    });
    await renaming.query('ALTER TABLE goes RENAME TO left_alone; ALTER TABLE left_comes RENAME TO comes');
    await renaming.query(`SELECT setval('left_comes_id_seq', 90); COMMIT`);
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded', result: { tables: 2, rows: 2 } });
    const published = await source.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_publication_tables ORDER BY 1',
    );
    expect(published.map(({ name }) => name)).toEqual(['comes', 'stays']);
    const tables = await target.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    );
    expect(tables.map(({ name }) => name)).toEqual(['comes', 'left_there', 'stays']);
    expect(await target.query('SELECT * FROM left_there')).toEqual([{ mine: 'mine' }]);
    expect(await target.query(`SELECT last_value::int AS at FROM left_comes_id_seq`)).toEqual([{ at: 90 }]);
  });

  it('refuses a selection that is not closed, also when it was when it was checked', async () => {
    task = { ...task, objects: { level: 'table', objects: [{ kind: 'view', schema: 'public', name: 'shown' }] } };
    await source.query('CREATE TABLE needed (id int PRIMARY KEY); CREATE VIEW shown AS SELECT * FROM needed');
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({
      outcome: 'failed',
      error: { code: 'SLUICE-3007', detail: '"public"."needed" (needed by view "public"."shown")' },
    });
    expect(await target.query(`SELECT FROM pg_class WHERE relname IN ('needed', 'shown')`)).toEqual([]);
  });

  it('needs no slot when nothing follows it, and leaves nothing behind', async () => {
    task = { ...task, syncType: 'full' };
    await source.query(ORDERS);
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded', result: { consistentLsn: null } });
    const conflictId = randomUUID();
    await target.query(
      `INSERT INTO sluice.conflict (conflict_id, task_id, commit_lsn, change_number, schema_name, table_name, operation, kind, action, key, target_rows)
       VALUES ($1, $2, '0/1', 0, 'public', 't', 'delete', 'missing_row', 'ignored', '{"id": "1"}', '[]')`,
      [conflictId, task.taskId],
    );
    const kept: string[] = [];
    using _management = serveRequests(bus, conflictRecords, {
      handle: async ({ conflicts }) => ({ version: 1, recorded: kept.push(...conflicts.map((one) => one.conflictId)) }),
    });
    await order('cleanup');
    expect(await ended('cleanup')).toMatchObject({ outcome: 'succeeded' });
    expect(kept).toEqual([conflictId]);
    expect(
      await source.query('SELECT slot_name FROM pg_replication_slots WHERE slot_name = $1', [task.slotName]),
    ).toEqual([]);
    expect(await source.query('SELECT pubname FROM pg_publication')).toEqual([]);
    expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname = 'sluice'")).toEqual([]);
    await expectSameRows(source, target);
  });

  it('changes nothing when a name is taken on the target', async () => {
    await source.query('CREATE TABLE taken (a int)');
    await target.query('CREATE TABLE taken (b text)');
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({
      outcome: 'failed',
      error: { code: 'SLUICE-3002', detail: expect.stringContaining('taken') },
    });
    expect(await source.query('SELECT FROM pg_publication')).toEqual([]);
    expect(await source.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [task.slotName])).toEqual([]);
  });

  it('fails with the object that cannot be built, and goes on from there when it can', async () => {
    await source.query(BANK);
    await source.query(`SET session_replication_role = replica; INSERT INTO booking (account, amount) VALUES (-1, 1)`);
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({ outcome: 'failed', error: { code: 'SLUICE-3006' } });
    await target.query('DELETE FROM booking');
    await desire('running', 2);
    await order('full-load', 2);
    expect(await ended('full-load', 2)).toMatchObject({ outcome: 'succeeded' });
  });

  it('lets go when it is paused and starts unfinished tables over when it is resumed', async () => {
    await source.query(LARGE);
    startServices();
    await order('full-load');
    await chunksDone(3);
    await desire('paused', 1);
    expect(await ended('full-load')).toMatchObject({ outcome: 'stopped' });
    const held =
      "SELECT FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND datname = current_database()";
    await waitFor('the snapshot to be let go', async () => (await source.query(held)).length === 0);
    await source.query('UPDATE large SET filler = id::text WHERE id % 10 = 0');
    await desire('running', 2);
    await order('full-load', 2);
    expect(await ended('full-load', 2)).toMatchObject({ outcome: 'succeeded' });
    expect(await target.query('SELECT generation FROM sluice.load')).toEqual([{ generation: 2 }]);
    await expectSameRows(source, target);
  });

  it('goes on under a new snapshot when the session that held it is ended', async () => {
    await source.query(LARGE);
    await source.query(BANK);
    const stopBooking = keepBooking();
    startServices();
    await order('full-load');
    await chunksDone(3);
    await source.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND datname = current_database()",
    );
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    await stopBooking();
    const tables = await target.query<{ name: string; isLater: boolean }>(
      `SELECT table_name AS name, start_lsn > slot_lsn AS "isLater" FROM sluice.table_load JOIN sluice.load USING (task_id)`,
    );
    expect(tables.find(({ name }) => name === 'large')?.isLater).toBe(true);
    await expectSameRows(source, target, { tables: ['public.large'] });
  });

  it.each(['full_and_incremental', 'full'] as const)(
    'fails with the name of a table that is dropped before it is copied (%s)',
    async (syncType) => {
      task = { ...task, syncType };
      await source.query(LARGE);
      await source.query('CREATE TABLE doomed (a int)');
      startServices();
      await order('full-load');
      // The smallest comes last.
      await chunksDone(1);
      await source.query('DROP TABLE doomed');
      expect(await ended('full-load')).toMatchObject({
        outcome: 'failed',
        error: { code: 'SLUICE-3004', detail: expect.stringContaining('"public"."doomed"') },
      });
    },
  );

  it('leaves what looks across tables of several snapshots for when changes have brought them to one moment', async () => {
    await source.query(LARGE);
    await source.query(FAMILY);
    startServices();
    await order('full-load');
    // The parents come first, as theirs is the largest chunk.
    await chunksDone(1);
    await source.query('INSERT INTO parent VALUES (0); INSERT INTO child VALUES (0, 0)');
    await source.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND datname = current_database()",
    );
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    expect(await open()).toEqual(['foreign key', 'foreign key', 'rows of materialized view', 'trigger']);
    expect(
      await target.query('SELECT isready FROM (SELECT count(*) = 1 AS isready FROM sluice.checkpoint) AS c'),
    ).toEqual([{ isready: true }]);
    // Too early: it is what a load that goes on regardless would meet.
    await order('finish-load', 2);
    await waitFor('the refusal', async () => {
      const session = await target.connect();
      return (await readOpenJoin(session, task.taskId, 2))?.error?.code === 'SLUICE-3006';
    });
    await target.query('INSERT INTO parent VALUES (0)');
    // An order while the earlier run is on its way out has no effect; apply gives it again.
    await waitFor('the earlier run to be over', async () => {
      const session = await target.connect();
      return !(await isFinisherAtWork(session, task.taskId));
    });
    await order('finish-load', 3);
    await waitFor('the end', async () => {
      const rows = await target.query('SELECT FROM sluice.load WHERE finished_at IS NOT NULL');
      return rows.length > 0;
    });
    expect(await open()).toEqual([]);
    const [key] = await target.query(
      "SELECT convalidated AS valid FROM pg_constraint WHERE conrelid = 'child'::regclass AND contype = 'f'",
    );
    expect(key).toEqual({ valid: true });
    expect(await target.query('SELECT orphans::int FROM joined')).toEqual([{ orphans: 0 }]);
    await expectSameRows(source, target);
  });

  it('starts all tables over under a new snapshot when no changes follow', async () => {
    task = { ...task, syncType: 'full' };
    await source.query(LARGE);
    await source.query(FAMILY);
    startServices();
    await order('full-load');
    await chunksDone(1);
    await source.query('INSERT INTO parent VALUES (0); INSERT INTO child VALUES (0, 0)');
    await source.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice snapshot' AND datname = current_database()",
    );
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    expect(await open()).toEqual([]);
    await expectSameRows(source, target);
  });

  it('is finished by others when all its workers stop in the middle', async () => {
    await source.query(LARGE);
    const stop = startServices();
    await order('full-load');
    await chunksDone(3);
    await stop();
    startServices();
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    await expectSameRows(source, target);
  });

  it.each(['source', 'target'] as const)('goes on by itself when all connections to the %s are cut', async (side) => {
    await using proxy = await faultProxy({ target: address[side] });
    address = { ...address, [side]: { host: proxy.host, port: proxy.port } };
    await source.query(LARGE);
    startServices();
    await order('full-load');
    await chunksDone(3);
    proxy.cut();
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    expect(events.map(({ outcome }) => outcome)).toContain('recovering');
    await expectSameRows(source, target);
  });

  it('fails with the name of the table whose rows the target refuses, and not for ever', async () => {
    await source.query('CREATE TABLE poison (a int); INSERT INTO poison VALUES (-1)');
    await target.query(`
      CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF to_regclass('public.poison') IS NOT NULL THEN ALTER TABLE public.poison ADD CHECK (a > 0); END IF;
      END $$;
      CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()`);
    startServices();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({
      outcome: 'failed',
      error: { code: 'SLUICE-3004', detail: expect.stringContaining('poison') },
    });
    await order('cleanup', 2);
    expect(await ended('cleanup', 2)).toMatchObject({ outcome: 'succeeded' });
    await order('cleanup', 3);
    expect(await ended('cleanup', 3)).toMatchObject({ outcome: 'succeeded' });
    expect(await source.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [task.slotName])).toEqual([]);
    expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname = 'sluice'")).toEqual([]);
  });

  const COPYING = 'SELECT FROM pg_stat_progress_copy WHERE datname = current_database()';
  const SLOW = { rateLimit: { mode: 'all_day', megabytesPerSecond: 1 } } as const;

  it('is not faster than its limit, with all processes that copy', async () => {
    await source.query(`CREATE TABLE limited (id int PRIMARY KEY, filler text);
      INSERT INTO limited SELECT i, repeat('x', 1000) FROM generate_series(1, 4000) AS i`);
    await desire('running', 1, SLOW);
    startServices();
    startServices();
    const startMs = performance.now();
    await order('full-load');
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    const seconds = (performance.now() - startMs) / 1000;
    const [copied] = await target.query(
      'SELECT sum(bytes)::int AS bytes, count(*) > 3 AS "isDivided" FROM sluice.chunk',
    );
    expect(copied).toMatchObject({ isDivided: true });
    expect(Number(copied?.['bytes']) / seconds).toBeLessThan(1_000_000);
    await expectSameRows(source, target);
  });

  it('runs at full speed as soon as the limit is off', async () => {
    await source.query(LARGE);
    await desire('running', 1, SLOW);
    startServices();
    await order('full-load');
    await chunksDone(1);
    const changedAtMs = performance.now();
    await desire('running', 1);
    expect(await ended('full-load')).toMatchObject({ outcome: 'succeeded' });
    // Of more than 50 MB.
    expect(performance.now() - changedAtMs).toBeLessThan(40_000);
    await expectSameRows(source, target);
  });

  it('stops in the middle of a chunk that its limit makes last', async () => {
    await source.query(LARGE);
    await desire('running', 1, SLOW);
    startServices({ SLUICE_FULL_LOAD_CHUNK_MB: '96' });
    await order('full-load');
    await waitFor('the copy', async () => (await target.query(COPYING)).length > 0);
    await desire('paused', 1, SLOW);
    expect(await ended('full-load')).toMatchObject({ outcome: 'stopped' });
    expect(await target.query('SELECT FROM large')).toEqual([]);
  });
});
