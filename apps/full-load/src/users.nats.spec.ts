import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  conflictRecords,
  DEFAULT_INCREMENTAL_OPTIONS,
  EVERYTHING,
  helperObjectName,
  type StageEvent,
  stageEvents,
  type TaskSpec,
} from '@sluice/contracts';
import { type PostgresMajor } from '@sluice/embedded';
import { Secret } from '@sluice/kernel';
import { type Bus, connectBus, consumeEvents, publishRun, serveCredentials, serveRequests } from '@sluice/messaging';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { createLogger } from '@sluice/telemetry';
import { expectSameRows, testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomBytes, randomUUID } from 'node:crypto';
import { startLoadServices } from './spec-services.js';

const BUS_KEY = randomBytes(32).toString('base64');
const lines: string[] = [];
const log = createLogger({ service: 'spec', level: 'debug', destination: { write: (line) => void lines.push(line) } });

let cleanups: (() => Promise<unknown>)[] = [];
let bus: Bus;
let events: StageEvent[];
/** Everything that anybody on the bus can read. */
let heard: string[];

beforeEach(async () => {
  const stop = new AbortController();
  bus = await connectBus({ servers: (await testNats()).url, name: 'spec', log });
  await bus.ensureTopology();
  [events, heard] = [[], []];
  const tap = bus.connection.subscribe('>', { callback: (_, message) => void heard.push(message.string()) });
  const listening = consumeEvents(bus, {
    subject: stageEvents,
    durableName: `spec_${randomUUID()}`,
    handle: (event) => Promise.resolve(void events.push(event)),
    signal: stop.signal,
  });
  cleanups = [
    async () => {
      stop.abort();
      tap.unsubscribe();
      await listening;
      await bus.close();
    },
  ];
});
afterEach(async () => {
  for (const close of cleanups.toReversed()) await close();
});

function startServices(): void {
  const stop = new AbortController();
  const close = startLoadServices({ bus, log, environment: { SLUICE_BUS_KEY: BUS_KEY } });
  serveRequests(bus, conflictRecords, { handle: async () => ({ version: 1, recorded: 0 }), signal: stop.signal });
  cleanups.push(async () => {
    stop.abort();
    await close();
  });
}

interface Stand {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly task: TaskSpec;
  /** Names that no other test uses. */
  readonly owner: string;
  readonly reader: string;
  readonly group: string;
}

/** A source with roles that own and may do things; its target is of another server, as roles belong to servers. */
async function stand(
  majors: { source: PostgresMajor; target: PostgresMajor },
  options: Partial<TaskSpec['users']> = {},
): Promise<Stand> {
  const source = await testDatabase({ major: majors.source });
  const target = await testDatabase({ major: majors.target });
  const id = randomBytes(4).toString('hex');
  const [owner, reader, group] = ['owner', 'reader', 'group'].map((name) => `${name}_${id}`) as [
    string,
    string,
    string,
  ];
  const dropRoles = `DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT rolname FROM pg_roles WHERE rolname ~ '_${id}$' LOOP EXECUTE format('DROP OWNED BY %I CASCADE', name); END LOOP;
    FOR name IN SELECT rolname FROM pg_roles WHERE rolname ~ '_${id}$' LOOP EXECUTE format('DROP ROLE %I', name); END LOOP; END $$`;
  cleanups.push(async () => {
    for (const database of [source, target]) {
      await database.query(dropRoles);
      await database[Symbol.asyncDispose]();
    }
  });
  await source.query(`
    CREATE ROLE ${owner} LOGIN PASSWORD 'secret-owner'; CREATE ROLE ${reader} LOGIN PASSWORD 'secret-reader'; CREATE ROLE ${group};
    GRANT ${group} TO ${reader};
    CREATE SCHEMA app AUTHORIZATION ${owner};
    CREATE TABLE app.orders (id int PRIMARY KEY, note text); ALTER TABLE app.orders OWNER TO ${owner};
    CREATE TABLE in_public (id int PRIMARY KEY); ALTER TABLE in_public OWNER TO ${owner};
    CREATE VIEW app.notes AS SELECT note FROM app.orders; ALTER VIEW app.notes OWNER TO ${owner};
    CREATE STATISTICS app.s1 ON id, note FROM app.orders; ALTER STATISTICS app.s1 OWNER TO ${owner};
    CREATE STATISTICS app.s2 ON note, id FROM app.orders; ALTER STATISTICS app.s2 OWNER TO ${owner};
    CREATE MATERIALIZED VIEW app.counted AS SELECT count(*) AS n FROM app.orders; ALTER MATERIALIZED VIEW app.counted OWNER TO ${owner};
    CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION app.f() OWNER TO ${owner};
    CREATE TYPE app.mood AS ENUM ('ok'); ALTER TYPE app.mood OWNER TO ${owner};
    GRANT USAGE ON SCHEMA app TO ${group};
    GRANT SELECT ON app.orders TO ${reader} WITH GRANT OPTION;
    SET ROLE ${reader}; GRANT SELECT (id) ON app.orders TO PUBLIC; RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} GRANT SELECT ON TABLES TO ${group};
    INSERT INTO app.orders SELECT i, 'note ' || i FROM generate_series(1, 100) AS i`);
  const taskId = randomUUID();
  const name = helperObjectName(taskId);
  const task: TaskSpec = {
    taskId,
    name: 'spec',
    syncType: 'full_and_incremental',
    slotName: name,
    publicationName: name,
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: { roles: [owner, reader, group], passwords: true, privileges: true, ...options },
  };
  return { source, target, task, owner, reader, group };
}

function serve(task: TaskSpec, source: Endpoint, target: Endpoint): void {
  const plain = (endpoint: Endpoint) => ({
    ...endpoint,
    password: endpoint.password.reveal(),
    tls: { mode: 'disable' as const },
  });
  const listening = serveCredentials(bus, {
    busKey: new Secret(BUS_KEY),
    lookup: async (id) => (id === task.taskId ? { source: plain(source), target: plain(target) } : null),
  });
  cleanups.push(async () => listening[Symbol.dispose]());
}

async function run(stage: 'full-load' | 'cleanup', task: TaskSpec, epoch = 1): Promise<StageEvent> {
  await publishRun(bus, { version: 1, runId: randomUUID(), epoch, task, stage });
  return waitFor(
    `the end of ${stage} ${epoch}`,
    () =>
      events.find(
        (event) =>
          event.taskId === task.taskId &&
          event.stage === stage &&
          event.epoch === epoch &&
          ['succeeded', 'failed', 'stopped'].includes(event.outcome),
      ),
    { deadlineMs: 60_000 },
  );
}

interface Owned {
  readonly name: string;
  readonly owner: string;
  readonly acl: string | null;
}

/** Owners and ACLs of all that the test made. */
function owned(database: TestDatabase): Promise<Owned[]> {
  return database.query<{ name: string; owner: string; acl: string | null }>(`
    SELECT relname AS name, relowner::regrole::text AS owner, relacl::text AS acl FROM pg_class
      WHERE relnamespace IN ('app'::regnamespace, 'public'::regnamespace) AND relkind IN ('r', 'v', 'm')
    UNION ALL SELECT nspname, nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = 'app'
    UNION ALL SELECT proname, proowner::regrole::text, proacl::text FROM pg_proc WHERE pronamespace = 'app'::regnamespace
    UNION ALL SELECT stxname, stxowner::regrole::text, NULL FROM pg_statistic_ext
    UNION ALL SELECT typname, typowner::regrole::text, typacl::text FROM pg_type WHERE typname = 'mood'
    UNION ALL SELECT defaclobjtype::text, defaclrole::regrole::text, defaclacl::text FROM pg_default_acl
    ORDER BY 1`);
}

/** Who had all on a table before 17 has MAINTAIN, too, which came then. */
function asFrom17(all: readonly Owned[]): Owned[] {
  return all.map((one) => ({ ...one, acl: one.acl?.replaceAll('arwdDxt/', 'arwdDxtm/') ?? null }));
}

async function logIn({ target }: Stand, user: string, password: string): Promise<void> {
  await using client = await connect(
    { ...target.endpoint, user, password: new Secret(password) },
    { applicationName: 'test' },
  );
  const { rows } = await client.query('SELECT count(*)::int AS count FROM app.orders');
  expect(rows).toEqual([{ count: 100 }]);
}

describe('users of a task', () => {
  it('are created before what they own, with what they may do, and a failed attempt leaves none', async () => {
    const given = await stand({ source: 17, target: 18 });
    const { source, target, task, owner, reader } = given;
    serve(task, source.endpoint, target.endpoint);
    await target.query(`
      CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() LIKE '%"in_public"%' THEN RAISE EXCEPTION 'not now'; END IF; END $$;
      CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()`);
    startServices();
    expect(await run('full-load', task)).toMatchObject({ outcome: 'failed', error: { code: 'SLUICE-3001' } });
    expect(await target.query(`SELECT FROM pg_roles WHERE rolname = $1`, [owner])).toEqual([]);
    await target.query('DROP EVENT TRIGGER refuse; DROP FUNCTION refuse');

    expect(await run('full-load', task, 2)).toMatchObject({ outcome: 'succeeded' });
    expect(await owned(target)).toEqual(await owned(source));
    await expectSameRows(source, target);
    await logIn(given, owner, 'secret-owner');
    await logIn(given, reader, 'secret-reader');

    const said = [...heard, ...lines, JSON.stringify(events)].join('\n');
    expect(said).toContain(task.taskId);
    const hashes = await source.query<{ hash: string }>(
      `SELECT rolpassword AS hash FROM pg_authid WHERE rolname = ANY ($1) AND rolpassword IS NOT NULL`,
      [[owner, reader]],
    );
    expect(hashes).toHaveLength(2);
    for (const { hash } of hashes) expect(said).not.toContain(hash);
    expect(said).not.toContain('SCRAM-SHA-256$');
  });

  it('own and may the same when the account is no superuser, which leaves them at the end with the memberships of now', async () => {
    const given = await stand({ source: 15, target: 18 });
    const { source, target, task, owner, reader, group } = given;
    const account = await target.createRole('CREATEROLE');
    await target.query(`ALTER DATABASE ${target.name} OWNER TO ${account.user}`);
    serve(task, source.endpoint, account);
    startServices();
    expect(await run('full-load', task)).toMatchObject({ outcome: 'succeeded' });
    expect(await owned(target)).toEqual(asFrom17(await owned(source)));
    await using asAccount = await connect(account, { applicationName: 'test' });
    const asOwner = `SET ROLE ${owner}; RESET ROLE`;
    await asAccount.query(asOwner);

    await source.query(`REVOKE ${group} FROM ${reader}; GRANT ${group} TO ${owner}`);
    expect(await run('cleanup', task)).toMatchObject({ outcome: 'succeeded' });
    await expect(asAccount.query(asOwner)).rejects.toThrow('permission denied to set role');
    const members = await target.query(
      `SELECT member::regrole::text AS name FROM pg_auth_members WHERE roleid = $1::regrole AND member <> $2::regrole`,
      [group, account.user],
    );
    expect(members).toEqual([{ name: owner }]);
    expect(await target.query("SELECT FROM pg_namespace WHERE nspname = 'sluice'")).toEqual([]);
    expect((await run('cleanup', task, 2)).outcome).toBe('succeeded');
  });

  it('own what is theirs, and have no more, when they come without privileges and passwords', async () => {
    const { source, target, task, owner, reader, group } = await stand(
      { source: 15, target: 17 },
      { passwords: false, privileges: false },
    );
    serve(task, source.endpoint, target.endpoint);
    startServices();
    expect(await run('full-load', task)).toMatchObject({ outcome: 'succeeded' });
    const acls = await target.query(`
      SELECT relname AS name, relowner::regrole::text AS owner, relacl::text AS acl FROM pg_class WHERE relname IN ('orders', 'notes')
      UNION ALL SELECT nspname, nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname = 'app' ORDER BY 1`);
    expect(acls).toEqual([
      { name: 'app', owner, acl: `{${owner}=UC/${owner}}` },
      { name: 'notes', owner, acl: null },
      { name: 'orders', owner, acl: `{${owner}=arwdDxtm/${owner}}` },
    ]);
    expect(await target.query('SELECT FROM pg_default_acl')).toEqual([]);
    expect(
      await target.query(
        `SELECT a.rolpassword, (SELECT count(*)::int FROM pg_auth_members m WHERE m.member = a.oid) AS memberships
         FROM pg_authid a WHERE a.rolname = ANY ($1)`,
        [[owner, reader, group]],
      ),
    ).toEqual(Array.from({ length: 3 }, () => ({ rolpassword: null, memberships: 0 })));
  });

  it('are refused during the load, too, when one cannot come', async () => {
    const { source, target, task, reader } = await stand({ source: 17, target: 18 });
    await target.query(`CREATE ROLE ${reader}`);
    serve(task, source.endpoint, target.endpoint);
    startServices();
    expect(await run('full-load', task)).toMatchObject({
      outcome: 'failed',
      error: { code: 'SLUICE-3020', detail: expect.stringContaining(`${reader}: the target has a role of this name`) },
    });
    expect(await target.query("SELECT to_regclass('app.orders') AS name")).toEqual([{ name: null }]);
  });
});
