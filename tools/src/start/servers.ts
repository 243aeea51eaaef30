import { abortReason } from '@sluice/kernel';
import { type NatsServer, type PostgresMajor, type PostgresServer, startNats, startPostgres } from '@sluice/embedded';
import { connect, type Endpoint, quoteIdentifier } from '@sluice/postgres-client';
import { loadSample } from '../sample/load-sample.js';
import { type DataDirectory } from './data-directory.js';

const METADATA_MAJOR: PostgresMajor = 17;
const SAMPLE_SOURCE_MAJOR: PostgresMajor = 17;
const SAMPLE_TARGET_MAJOR: PostgresMajor = 17;
const METADATA_DATABASE = 'sluice';
export const SAMPLE_DATABASE = 'shop';
const SAMPLE_SCALE = 1;

/** The data of a temporary directory is thrown away with it and need not survive a power failure. */
const THROWAWAY_SETTINGS = { fsync: 'off', full_page_writes: 'off' };
const METADATA_SETTINGS = { shared_buffers: '32MB', max_connections: '60' };
const SAMPLE_SETTINGS = { shared_buffers: '128MB', max_wal_size: '2GB' };

type Report = (text: string) => void;

export interface ControlServers {
  readonly nats: NatsServer;
  readonly metadataUrl: string;
}

/** Starts the bus and the metadata database. They are stopped with `resources`. */
export async function startControlServers(
  directory: DataDirectory,
  resources: AsyncDisposableStack,
  log: Report,
): Promise<ControlServers> {
  const [nats, metadata] = await startBoth(resources, {
    first: startNats({ storeDir: directory.for('nats'), log, temporary: !directory.isKept }),
    second: startPostgres({
      major: METADATA_MAJOR,
      dataDir: directory.for('metadata'),
      settings: { ...METADATA_SETTINGS, ...(!directory.isKept && THROWAWAY_SETTINGS) },
      log,
      temporary: !directory.isKept,
    }),
  });
  await ensureDatabase(metadata, METADATA_DATABASE);
  return { nats, metadataUrl: metadata.url(METADATA_DATABASE) };
}

export interface SampleServers {
  readonly source: Endpoint;
  readonly target: Endpoint;
  /** Makes the target's database anew, as a task needs an empty one. */
  emptyTarget(): Promise<void>;
}

/** Starts the sample source, filled, and the sample target. */
export async function startSampleServers(
  directory: DataDirectory,
  resources: AsyncDisposableStack,
  { log, signal }: { readonly log: Report; readonly signal: AbortSignal },
): Promise<SampleServers> {
  const { samplePorts } = directory.installation;
  const settings = { ...SAMPLE_SETTINGS, ...(!directory.isKept && THROWAWAY_SETTINGS) };
  const [source, target] = await startBoth(resources, {
    first: startPostgres({
      major: SAMPLE_SOURCE_MAJOR,
      dataDir: directory.for('sample-source'),
      settings,
      log,
      temporary: !directory.isKept,
      ...(samplePorts && { port: samplePorts.source }),
    }),
    second: startPostgres({
      major: SAMPLE_TARGET_MAJOR,
      dataDir: directory.for('sample-target'),
      settings,
      log,
      temporary: !directory.isKept,
      ...(samplePorts && { port: samplePorts.target }),
    }),
  });
  await directory.rememberSamplePorts({ source: source.port, target: target.port });
  await untilAborted(fillSource(source), signal);
  await ensureDatabase(target, SAMPLE_DATABASE);
  return {
    source: source.endpoint(SAMPLE_DATABASE),
    target: target.endpoint(SAMPLE_DATABASE),
    emptyTarget: async () => {
      await dropDatabase(target, SAMPLE_DATABASE);
      await ensureDatabase(target, SAMPLE_DATABASE);
    },
  };
}

/** Does not wait for work that ends with its server. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(abortReason(signal));
  signal.addEventListener('abort', () => reject(abortReason(signal)), { once: true });
  return Promise.race([work, aborted]);
}

/** The sample is loaded under another name, so that the database exists only once it is complete. */
async function fillSource(server: PostgresServer): Promise<void> {
  if (await hasDatabase(server, SAMPLE_DATABASE)) return;
  const draft = `${SAMPLE_DATABASE}_draft`;
  await dropDatabase(server, draft);
  await ensureDatabase(server, draft);
  await loadSample(server.endpoint(draft), { scale: SAMPLE_SCALE });
  await administer(server, `ALTER DATABASE ${quoteIdentifier(draft)} RENAME TO ${quoteIdentifier(SAMPLE_DATABASE)}`);
}

/**
 * Waits for both, also when one fails: a server that is still starting could otherwise not be stopped.
 * The first failure is thrown then.
 */
async function startBoth<A extends AsyncDisposable, B extends AsyncDisposable>(
  resources: AsyncDisposableStack,
  starting: { readonly first: Promise<A>; readonly second: Promise<B> },
): Promise<[A, B]> {
  const both = [starting.first, starting.second] as const;
  const settled = await Promise.allSettled(both);
  const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  resources.defer(async () => {
    await Promise.all(started.map((server) => server[Symbol.asyncDispose]()));
  });
  return Promise.all(both);
}

async function hasDatabase(server: PostgresServer, name: string): Promise<boolean> {
  await using client = await connect(server.endpoint('postgres'), { applicationName: 'start' });
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  return rowCount === 1;
}

async function ensureDatabase(server: PostgresServer, name: string): Promise<void> {
  if (!(await hasDatabase(server, name))) await administer(server, `CREATE DATABASE ${quoteIdentifier(name)}`);
}

function dropDatabase(server: PostgresServer, name: string): Promise<void> {
  return administer(server, `DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
}

async function administer(server: PostgresServer, statement: string): Promise<void> {
  await using client = await connect(server.endpoint('postgres'), { applicationName: 'start' });
  await client.query(statement);
}
