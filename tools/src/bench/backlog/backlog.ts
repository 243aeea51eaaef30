import { type PostgresServer } from '@sluice/embedded';
import { type Lsn, parseLsn } from '@sluice/model';
import { quoteLiteral } from '@sluice/postgres-client';
import { execute, openClient, until } from '../bench-servers.js';
import { type Workload } from './workload.js';

/** The source's database. */
export const DATABASE = 'bench';
export const PUBLICATION = 'bench_publication';
const CHECK_INTERVAL_MS = 2_000;

/** Tables, rows and the marker in an existing database. */
export async function createBase(server: PostgresServer, database: string, workload: Workload): Promise<void> {
  await workload.createBase(server, database);
  await execute(server, database, 'CREATE TABLE marker (id int PRIMARY KEY)');
}

export async function createSource(server: PostgresServer, workload: Workload): Promise<void> {
  await execute(server, 'postgres', `CREATE DATABASE ${DATABASE}`);
  await createBase(server, DATABASE, workload);
  await execute(server, DATABASE, `CREATE PUBLICATION ${PUBLICATION} FOR ALL TABLES`);
}

/** @returns where the source's WAL ends behind it. */
export async function writeBacklog(source: PostgresServer, workload: Workload): Promise<Lsn> {
  await workload.write(source, DATABASE);
  await execute(source, DATABASE, 'INSERT INTO marker VALUES (1)');
  await using client = await openClient(source, DATABASE);
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return parseLsn(rows[0]?.lsn ?? '');
}

/** Copies a slot, so that the copy keeps the position while the other moves on. */
export async function copySlot(source: PostgresServer, slotName: string, copyName: string): Promise<void> {
  await execute(
    source,
    DATABASE,
    `SELECT pg_copy_logical_replication_slot(${quoteLiteral(slotName)}, ${quoteLiteral(copyName)})`,
  );
}

/** Puts a slot that nobody reads where the saved one stands, whether it exists or not. */
export async function restoreSlot(source: PostgresServer, slotName: string, savedSlot: string): Promise<void> {
  await execute(
    source,
    DATABASE,
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slotName)}`,
  );
  await copySlot(source, savedSlot, slotName);
}

/** Drops a slot once nobody reads it. */
export async function dropUnusedSlot(source: PostgresServer, slotName: string): Promise<void> {
  await untilUnused(source, slotName);
  await execute(source, DATABASE, `SELECT pg_drop_replication_slot(${quoteLiteral(slotName)})`);
}

/** Waits until nobody reads the slot. */
export async function untilUnused(source: PostgresServer, slotName: string): Promise<void> {
  await using client = await openClient(source, DATABASE);
  await until(`an unused slot ${slotName}`, async () => {
    const { rowCount } = await client.query('SELECT FROM pg_replication_slots WHERE active AND slot_name = $1', [
      slotName,
    ]);
    return rowCount === 0;
  });
}

/**
 * The backlog's last transaction inserted it, so that it shows only when everything before it does.
 * @param check called now and then; throws when it will never come.
 */
export async function untilMarked(
  target: PostgresServer,
  database: string,
  check: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await using client = await openClient(target, database);
  let checkedAtMs = performance.now();
  await until('the marker row', async () => {
    if ((await client.query('SELECT FROM marker')).rowCount === 1) return true;
    if (performance.now() - checkedAtMs > CHECK_INTERVAL_MS) {
      await check();
      checkedAtMs = performance.now();
    }
    return false;
  });
}
