import { type Client, connect, type Endpoint, quoteLiteral, VALUE_SETTINGS } from '@sluice/postgres-client';

/** Sessions of one server that all see the same snapshot. */
export interface ComparisonSide extends AsyncDisposable {
  readonly sessions: readonly [Client, ...Client[]];
  readonly major: number;
  readonly encoding: string;
}

export interface SideOptions {
  /** Name of an exported snapshot; without one the sessions share a snapshot of their own. */
  readonly snapshotName?: string | undefined;
  /** Where further sessions are opened. */
  readonly endpoint?: Endpoint | undefined;
  /** All sessions, the given one included. */
  readonly sessionCount: number;
}

/** Begins a read-only transaction on `client` and on as many further sessions as asked; disposal rolls all of them back. */
export async function openSide(client: Client, options: SideOptions): Promise<ComparisonSide> {
  const { endpoint, sessionCount } = options;
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rollback(client));
  await begin(client, options.snapshotName);
  const more: Client[] = [];
  if (endpoint !== undefined && sessionCount > 1) {
    const snapshotName = options.snapshotName ?? (await exportSnapshot(client));
    while (more.length < sessionCount - 1) {
      const session = opened.use(await connect(endpoint, { applicationName: 'comparison' }));
      await begin(session, snapshotName);
      more.push(session);
    }
  }
  const { major, encoding } = await readFacts(client);
  const resources = opened.move();
  return {
    sessions: [client, ...more],
    major,
    encoding,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function begin(client: Client, snapshotName: string | undefined): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  // Must be the first statement of the transaction: any query before it takes a snapshot of its own.
  if (snapshotName !== undefined) await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotName)}`);
  // With row_security off a policy that would hide rows is an error, never a smaller table.
  const settings = { ...VALUE_SETTINGS, row_security: 'off' };
  await client.query(
    'SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS setting (name, value)',
    [Object.keys(settings), Object.values(settings)],
  );
}

/** The snapshot of the transaction that is open on `client`. */
async function exportSnapshot(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
  return rows[0]?.name ?? '';
}

async function readFacts(client: Client): Promise<{ major: number; encoding: string }> {
  const { rows } = await client.query<{ major: number; encoding: string }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_encoding') AS encoding`,
  );
  return { major: rows[0]?.major ?? 0, encoding: rows[0]?.encoding ?? '' };
}

async function rollback(client: Client): Promise<void> {
  // A lost connection has ended its transaction already.
  await client.query('ROLLBACK').catch(() => undefined);
}
