import { type PostgresServer } from '@sluice/embedded';
import { type Client, connect, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { waitFor } from '../wait-for.js';

/** Removes a database with all that holds it: subscriptions, prepared transactions, sessions, replication slots. */
export async function dropDatabase(server: PostgresServer, name: string, roles: readonly string[]): Promise<void> {
  await dropSubscriptions(server, name);
  await using admin = await connect(server.endpoint('postgres'), { applicationName: 'test cleanup' });
  // First of all nobody may come in again: a service that reconnects would create its slot anew.
  await admin.query(`ALTER DATABASE ${quoteIdentifier(name)} ALLOW_CONNECTIONS false`);
  await waitFor(`sessions and slots of database ${name} to be gone`, () => endSessionsAndSlots(admin, name));
  await admin.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
  for (const role of roles) await admin.query(`DROP ROLE IF EXISTS ${quoteIdentifier(role)}`);
}

/** DROP DATABASE refuses while there is a subscription; its slot on the other side is that side's to drop. */
async function dropSubscriptions(server: PostgresServer, name: string): Promise<void> {
  await using client = await connect(server.endpoint(name), { applicationName: 'test cleanup' });
  const { rows: subscriptions } = await client.query<{ subname: string }>(
    'SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())',
  );
  for (const { subname } of subscriptions) {
    const subscription = quoteIdentifier(subname);
    await client.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
    await client.query(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`);
    await client.query(`DROP SUBSCRIPTION ${subscription}`);
  }
  const { rows: prepared } = await client.query<{ gid: string }>(
    'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
  );
  for (const { gid } of prepared) await client.query(`ROLLBACK PREPARED ${quoteLiteral(gid)}`);
}

async function endSessionsAndSlots(admin: Client, name: string): Promise<boolean> {
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  await admin.query(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active_pid IS NOT NULL`,
    [name],
  );
  const { rows: slots } = await admin.query<{ slot_name: string }>(
    'SELECT slot_name FROM pg_replication_slots WHERE database = $1 AND NOT active',
    [name],
  );
  // A slot that becomes active or goes in between is seen by the next look.
  for (const { slot_name } of slots) {
    await admin.query('SELECT pg_drop_replication_slot($1)', [slot_name]).catch(() => undefined);
  }
  const { rows } = await admin.query<{ count: string }>(
    `SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = $1)
          + (SELECT count(*) FROM pg_replication_slots WHERE database = $1) AS count`,
    [name],
  );
  return rows[0]?.count === '0';
}
