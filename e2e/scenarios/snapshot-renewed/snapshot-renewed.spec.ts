import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { delay } from '@sluice/kernel';
import { connect } from '@sluice/postgres-client';
import { expectSameRows, type FaultProxy, faultProxy, type Row, type TestDatabase, waitFor } from '@sluice/testing';
import { untilCaughtUp } from '../../src/catch-up.js';
import { type Cluster, startCluster } from '../../src/cluster.js';
import { helperObjects } from '../../src/helper-objects.js';
import { bulk, MIXED } from '../../src/mixed-schema.js';
import { startWriters } from '../../src/writers.js';

/** The load takes about ten seconds: each of its chunks waits for the network several times. */
const ROUND_TRIP_MS = 40;
const BULK = { tables: 3, rows: 12_000 };
const PAUSE_MS = 10;
/** Each costs a snapshot; a load gives up after twenty. */
const TRUNCATIONS_MAX = 5;

/** The parents are the largest chunk, so that they are copied first, under a snapshot that the children do not have. */
const FAMILY = `
CREATE SCHEMA family;
CREATE TABLE family.parent (id bigint PRIMARY KEY, filler text);
INSERT INTO family.parent SELECT i, repeat(md5(i::text), 12) FROM generate_series(1, 3000) AS i;
CREATE TABLE family.child (
  id bigint PRIMARY KEY,
  parent bigint NOT NULL CONSTRAINT child_has_parent REFERENCES family.parent DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON CONSTRAINT child_has_parent ON family.child IS 'no orphans';
CREATE TABLE family.toy (child bigint REFERENCES family.child, part int, PRIMARY KEY (child, part)) PARTITION BY LIST (part);
CREATE TABLE family.toy_1 PARTITION OF family.toy FOR VALUES IN (1);
CREATE TABLE family.toy_2 PARTITION OF family.toy FOR VALUES IN (2);
CREATE TABLE family.scratch (n int PRIMARY KEY);
CREATE TABLE family.log (child bigint, at timestamptz DEFAULT now());
ALTER TABLE family.log REPLICA IDENTITY FULL;
CREATE FUNCTION family.note() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN INSERT INTO family.log VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT ON family.child FOR EACH ROW EXECUTE FUNCTION family.note();
CREATE MATERIALIZED VIEW family.orphans AS
  SELECT c.id FROM family.child c LEFT JOIN family.parent p ON p.id = c.parent WHERE p.id IS NULL;
CREATE UNIQUE INDEX ON family.orphans (id);
`;

let cluster: Cluster;
let source: TestDatabase;
let target: TestDatabase;
let proxy: FaultProxy;

beforeAll(async () => {
  cluster = await startCluster({ env: { SLUICE_FULL_LOAD_CHUNK_MB: '1', SLUICE_FULL_LOAD_COPY_WORKERS: '1' } });
  source = await cluster.sourceDatabase(MIXED + bulk(BULK.tables, BULK.rows) + FAMILY);
  target = await cluster.targetDatabase();
  proxy = await faultProxy({ target: source.endpoint });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

it('ends equal, with all foreign keys valid, when tables were copied under several snapshots', async () => {
  await using writers = await startWriters(source, 1);
  const family = growFamily();
  proxy.delay(ROUND_TRIP_MS);
  const throughProxy = { endpoint: { ...source.endpoint, host: proxy.host, port: proxy.port } };
  const taskId = await cluster.createAndStart({ source: throughProxy, target });
  await cluster.untilState(taskId, 'full_load');
  await untilLedger('the parents to be copied', "SELECT FROM sluice.table_load WHERE table_name = 'parent' AND done");
  cluster.kill9('snapshot-holder');
  await untilLedger('a new snapshot', 'SELECT FROM sluice.load WHERE generation > 1 AND snapshot_name IS NOT NULL');
  family.truncate();
  await killWhileFinishing(taskId);
  const snapshots = await target.query('SELECT DISTINCT start_lsn FROM sluice.table_load');
  expect(snapshots.length).toBeGreaterThan(1);
  await untilLedger('the load to be finished', 'SELECT FROM sluice.load WHERE finished_at IS NOT NULL');
  await family.stop();
  await writers.stop();
  await untilCaughtUp(source, target);
  await expectSameRows(source, target);
  expect(await structure(target)).toEqual(await structure(source));
  expect(await target.query('SELECT count(*)::int AS orphans FROM family.orphans')).toEqual([{ orphans: 0 }]);
  expect((await cluster.api.getTask(taskId)).state).toBe('incremental');
  await cluster.api.act(taskId, 'end');
  await cluster.untilState(taskId, 'ended');
  expect(await helperObjects(taskId, { source, target })).toEqual([]);
});

/** A foreign key that is built beside apply waits for somebody; the service that builds it dies meanwhile. */
async function killWhileFinishing(taskId: string): Promise<void> {
  await untilLedger('the load to be usable', 'SELECT FROM sluice.load WHERE loaded_at IS NOT NULL');
  await using holder = await connect(target.endpoint, { applicationName: 'holder' });
  await holder.query('BEGIN; LOCK TABLE family.child IN ROW EXCLUSIVE MODE');
  await cluster.untilState(taskId, 'incremental');
  proxy.delay(0);
  await untilLedger(
    'the foreign key to wait',
    "SELECT FROM pg_stat_activity WHERE query ~ 'child_has_parent' AND wait_event_type = 'Lock'",
  );
  cluster.kill9('full-load');
  await waitFor('it to die', () => cluster.deaths('full-load') === 1);
  await holder.query('COMMIT');
}

function untilLedger(what: string, query: string): Promise<unknown> {
  const look = async (): Promise<boolean> => {
    const [ledger] = await target.query("SELECT to_regclass('sluice.build_step') IS NOT NULL AS made");
    return ledger?.['made'] === true && (await target.query(query)).length > 0;
  };
  return waitFor(what, look, { intervalMs: 20 });
}

/** Parents with children, each a transaction, and some go again; on order a table is truncated now and then. */
function growFamily(): { truncate: () => void; stop: () => Promise<void> } {
  let isStopped = false;
  let truncationsLeft = 0;
  const growing = (async () => {
    const client = await source.connect();
    for (let id = 10_000; !isStopped; id += 1) {
      await client.query(`BEGIN; INSERT INTO family.child VALUES (${id}, ${id}); INSERT INTO family.parent VALUES (${id});
        INSERT INTO family.toy VALUES (${id}, 1 + ${id} % 2); INSERT INTO family.scratch VALUES (${id}); COMMIT`);
      if (id % 3 === 0) {
        await client.query(`BEGIN; DELETE FROM family.toy WHERE child = ${id - 2};
          DELETE FROM family.child WHERE id = ${id - 2}; DELETE FROM family.parent WHERE id = ${id - 2}; COMMIT`);
      }
      if (truncationsLeft > 0 && id % 50 === 0) {
        truncationsLeft -= 1;
        await client.query('TRUNCATE family.scratch');
      }
      await delay(PAUSE_MS);
    }
  })();
  // Whoever stops it is told.
  growing.catch(() => undefined);
  return {
    truncate: () => {
      truncationsLeft = TRUNCATIONS_MAX;
    },
    stop: async () => {
      isStopped = true;
      await growing;
    },
  };
}

/** What is built after the rows, as both sides should have it. */
function structure(database: TestDatabase): Promise<Row[]> {
  return database.query(`
    SELECT 'constraint' AS what, conrelid::regclass::text AS on, conname::text AS name, convalidated AS valid,
           pg_get_constraintdef(oid) AS definition, obj_description(oid, 'pg_constraint') AS comment
    FROM pg_constraint
    WHERE conrelid <> 0 AND connamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname = 'sluice')
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname::text, tgenabled = 'O', pg_get_triggerdef(oid), NULL
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'materialized view', c.oid::regclass::text, c.relname::text, c.relispopulated, pg_get_viewdef(c.oid), NULL
    FROM pg_class c WHERE c.relkind = 'm'
    ORDER BY 1, 2, 3, 5`);
}
