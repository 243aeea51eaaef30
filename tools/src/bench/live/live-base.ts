import { type BenchContext } from '../bench-case.js';
import { execute, openClient, restoreDatabase, until } from '../bench-servers.js';
import { createPgbenchDatabase } from '../pgbench-database.js';

/** The source's database, made anew for every run. */
export const DATABASE = 'bench';
export const TEMPLATE = 'base';
const SCALE = 50;
/** Is visible once the replica follows; those of the measurement come behind it. */
const FIRST_MARKER = 0;

/** The same tables and rows on both servers, and a table for markers: rows whose arrival at the target is looked at. */
export async function createLiveBase({ servers, scale, report }: BenchContext): Promise<void> {
  const pgbenchScale = Math.max(1, Math.round(SCALE * Math.min(1, scale)));
  report(`making the base: pgbench scale ${pgbenchScale}`);
  for (const server of [servers.source, servers.target]) {
    await createPgbenchDatabase(server, TEMPLATE, pgbenchScale);
    await execute(
      server,
      TEMPLATE,
      'CREATE TABLE marker (id bigint PRIMARY KEY, at timestamptz NOT NULL, lsn pg_lsn NOT NULL)',
    );
  }
}

export async function restoreSource({ servers }: BenchContext): Promise<void> {
  await restoreDatabase(servers.source, DATABASE, TEMPLATE);
}

/** Writes a marker with the moment and the place in the WAL. */
export const INSERT_MARKER =
  'INSERT INTO marker (id, at, lsn) VALUES ($1, clock_timestamp(), pg_current_wal_insert_lsn())';

/** Waits until the target shows what the source commits now. */
export async function untilFollowing(context: BenchContext, database: string): Promise<void> {
  await using source = await openClient(context.servers.source, DATABASE);
  await source.query(INSERT_MARKER, [FIRST_MARKER]);
  await untilVisible(context, database, FIRST_MARKER);
}

export async function untilVisible({ servers }: BenchContext, database: string, marker: number): Promise<void> {
  await using target = await openClient(servers.target, database);
  await until(`marker ${marker} in ${database}`, async () => {
    const { rowCount } = await target.query('SELECT FROM marker WHERE id = $1', [marker]);
    return rowCount === 1;
  });
}
