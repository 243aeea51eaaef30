import { describe, expect, it } from '@jest/globals';
import {
  appliedMessages,
  CHANGE_HEADERS,
  helperObjectName,
  type SluiceError,
  StageRun,
  type StageRunOf,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { type Bus, changeStreams, connectBus, desiredStates, publish } from '@sluice/messaging';
import { readSlot } from '@sluice/postgres-replication';
import { type StageReporter } from '@sluice/service-runtime';
import { createLogger } from '@sluice/telemetry';
import { dedicatedNats, dedicatedServer, testDatabase, type TestDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { runCapture } from './capture-run.js';

const LOG = createLogger({ service: 'capture-spec', level: 'silent' });
const CONFIG = {
  SLUICE_CAPTURE_STATUS_INTERVAL_MS: 1_000,
  SLUICE_CAPTURE_IDLE_WATERMARK_MS: 300,
  SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: 60_000,
  SLUICE_CAPTURE_WINDOW_BYTES: 1024 * 1024,

  SLUICE_CAPTURE_WHOLE_MS: 60_000,
  SLUICE_CHANGES_MAX_BYTES: 64 * 1024 * 1024,
};

const OFTEN = { SLUICE_CAPTURE_COVERAGE_INTERVAL_MS: 100 };

/** Remembers what was reported. */
function recordingReporter(said: string[], failures: SluiceError[]): StageReporter {
  const say = (word: string) => (): Promise<void> => {
    said.push(word);
    return Promise.resolve();
  };
  return {
    started: say('started'),
    running: say('running'),
    stopped: say('stopped'),
    succeeded: say('succeeded'),
    recovering: ({ code }) => say(`recovering ${code}`)(),
    failed: (error) => {
      failures.push(error);
      return say(`failed ${error.code}`)();
    },
    progress: () => undefined,
  };
}

interface Running {
  readonly said: string[];
  readonly failures: readonly SluiceError[];
  readonly ended: Promise<void>;
}

class Setup implements AsyncDisposable {
  readonly taskId = randomUUID();
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>[] = [];

  private constructor(
    readonly bus: Bus,
    readonly source: TestDatabase,
  ) {}

  static async create(options: { natsUrl?: string; source?: TestDatabase } = {}): Promise<Setup> {
    const natsUrl = options.natsUrl ?? (await testNats()).url;
    const bus = await connectBus({ servers: natsUrl, name: 'capture-spec', log: LOG });
    await bus.ensureTopology();
    const setup = new Setup(bus, options.source ?? (await testDatabase()));
    await setup.source.query('CREATE TABLE t (id int PRIMARY KEY)');
    await setup.source.query(`CREATE PUBLICATION ${setup.name} FOR TABLE t`);
    await setup.source.query(`SELECT pg_create_logical_replication_slot('${setup.name}', 'pgoutput')`);
    return setup;
  }

  get name(): string {
    return helperObjectName(this.taskId);
  }

  start(epoch = 1, config: Partial<typeof CONFIG> = {}): Running {
    const task = {
      taskId: this.taskId,
      name: 'spec-task',
      syncType: 'incremental',
      slotName: this.name,
      publicationName: this.name,
      incremental: DEFAULT_INCREMENTAL_OPTIONS,
      objects: EVERYTHING,
      ddlDecisions: [],
      users: DEFAULT_USER_OPTIONS,
    };
    const run = StageRun.parse({ version: 1, runId: randomUUID(), epoch, task, stage: 'capture' });
    const said: string[] = [];
    const failures: SluiceError[] = [];
    const ended = runCapture({
      run: run as StageRunOf<'capture'>,
      context: { signal: this.#stopping.signal, log: LOG },
      bus: this.bus,
      config: { ...CONFIG, ...config },
      reporter: recordingReporter(said, failures),
      loadSource: () => Promise.resolve(this.source.endpoint),
    });
    this.#ended.push(ended.catch(() => undefined));
    return { said, failures, ended };
  }

  order(desired: 'running' | 'paused' | 'ending', epoch = 1): Promise<void> {
    return desiredStates(this.bus).put(this.taskId, { version: 1, desired, epoch });
  }

  async lastHeader(name: keyof typeof CHANGE_HEADERS): Promise<string | undefined> {
    using publisher = await changeStreams(this.bus).openPublisher(this.taskId);
    return (await publisher.lastMessage())?.headers[CHANGE_HEADERS[name]];
  }

  async isSlotActive(): Promise<boolean> {
    await using client = await this.source.connect();
    const slot = await readSlot(client, this.name);
    return slot.exists && slot.isActive;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#ended);
    await this.source[Symbol.asyncDispose]();
    await this.bus.close();
  }
}

describe('runCapture', () => {
  it('stops when the task is paused, leaves the slot free, and goes on in a run of a newer epoch', async () => {
    await using setup = await Setup.create();
    const first = setup.start();
    await waitFor('the run to be healthy', () => first.said.includes('running'));
    await setup.order('paused');
    await first.ended;
    expect(first.said).toEqual(['started', 'running', 'stopped']);
    await waitFor('the slot to be free', async () => !(await setup.isSlotActive()));
    await setup.order('running', 2);
    const second = setup.start(2);
    await waitFor('the second run to be healthy', () => second.said.includes('running'));
  });

  it('ends at the end of WAL when the task ends, after the target has everything', async () => {
    await using setup = await Setup.create();
    const run = setup.start();
    await waitFor('the run to be healthy', () => run.said.includes('running'));
    await setup.source.query('INSERT INTO t VALUES (1)');
    await setup.order('ending');
    await waitFor('the final batch', async () => (await setup.lastHeader('final')) === '1');
    expect(run.said).not.toContain('succeeded');
    const { taskId } = setup;
    const durableLsn = (await setup.lastHeader('watermarkLsn')) ?? '';
    const payload = { version: 1 as const, taskId, durableLsn };
    await publish(setup.bus, appliedMessages, { params: { taskId }, payload, durable: false });
    await run.ended;
    expect(run.said.at(-1)).toBe('succeeded');
  });

  it('goes on by itself when the bus was killed and wiped', async () => {
    await using nats = await dedicatedNats();
    await using setup = await Setup.create({ natsUrl: nats.url });
    const run = setup.start();
    await waitFor('the run to be healthy', () => run.said.includes('running'));
    await nats.kill9();
    await nats.restart({ wipe: true });
    await setup.source.query('INSERT INTO t VALUES (1)');
    await waitFor('the run to be healthy again', () => run.said.filter((word) => word === 'running').length === 2);
    expect(run.said.some((word) => word.startsWith('recovering SLUICE-7001'))).toBe(true);
  });

  it('goes on by itself when the source was killed', async () => {
    await using server = await dedicatedServer();
    const database = await testDatabase({ server });
    await using setup = await Setup.create({ source: database });
    const run = setup.start();
    await waitFor('the run to be healthy', () => run.said.includes('running'));
    await server.kill9();
    await waitFor('the run to notice', () => run.said.some((word) => word.startsWith('recovering SLUICE-1')));
    await server.restart();
    await waitFor('the run to be healthy again', () => run.said.at(-1) === 'running');
  });

  it('fails with a remedy when the slot is gone', async () => {
    await using setup = await Setup.create();
    await setup.source.query(`SELECT pg_drop_replication_slot('${setup.name}')`);
    const run = setup.start();
    await run.ended;
    expect(run.said).toEqual(['started', 'failed SLUICE-4001']);
  });

  it('fails with the tables that are created meanwhile, and goes on once they are dropped', async () => {
    await using setup = await Setup.create();
    const run = setup.start(1, OFTEN);
    await waitFor('the run to be healthy', () => run.said.includes('running'));
    await setup.source.query('CREATE TEMPORARY TABLE scratch (id int); CREATE UNLOGGED TABLE cache (id int)');
    await setup.source.query(
      'CREATE SCHEMA s; CREATE TABLE s.daily (day int) PARTITION BY LIST (day); CREATE TABLE s.daily_1 PARTITION OF s.daily FOR VALUES IN (1)',
    );
    await run.ended;
    expect(run.failures).toMatchObject([{ code: 'SLUICE-4006', detail: 's.daily_1' }]);
    const again = setup.start(2, OFTEN);
    await again.ended;
    expect(again.said).toEqual(['started', 'failed SLUICE-4006']);
    await setup.source.query('DROP TABLE s.daily');
    const healed = setup.start(3, OFTEN);
    await waitFor('the run to be healthy again', () => healed.said.includes('running'));
  });

  it.each([
    ['lost a table', (name: string) => `ALTER PUBLICATION ${name} DROP TABLE t`, 'lost public.t'],
    ['lost a kind of change', (name: string) => `ALTER PUBLICATION ${name} SET (publish = 'insert')`, 'all kinds'],
    ['was dropped', (name: string) => `DROP PUBLICATION ${name}`, 'does not exist'],
  ])('fails when the publication %s', async (_, statement, detail) => {
    await using setup = await Setup.create();
    const run = setup.start(1, OFTEN);
    await waitFor('the run to be healthy', () => run.said.includes('running'));
    await setup.source.query(statement(setup.name));
    await run.ended;
    expect(run.failures).toMatchObject([{ code: 'SLUICE-4005', detail: expect.stringContaining(detail) }]);
  });

  it('looks once more before it ends, so that an ended task lacks no table', async () => {
    await using setup = await Setup.create();
    const run = setup.start();
    await waitFor('the run to be healthy', () => run.said.includes('running'));
    await setup.source.query('CREATE TABLE late (id int)');
    await setup.order('ending');
    await run.ended;
    expect(run.failures).toMatchObject([{ code: 'SLUICE-4006', detail: 'public.late' }]);
    expect(await setup.lastHeader('final')).toBeUndefined();
  });
});
