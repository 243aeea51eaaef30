import { helperObjectName } from '@sluice/contracts';
import { connect, type Endpoint, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type Databases } from './arguments.js';

const BOOKKEEPING_SCHEMA = 'sluice';

/** What a task makes on a server, and the statement that removes it. */
export interface HelperObject {
  readonly side: 'source' | 'target';
  readonly what: string;
  readonly dropSql: string;
}

/** All that a task can have made; which of it exists is not known without looking. */
export function helperObjects(taskId: string): HelperObject[] {
  const name = helperObjectName(taskId);
  return [
    {
      side: 'source',
      what: `replication slot ${name}`,
      dropSql: `SELECT pg_drop_replication_slot(${quoteLiteral(name)});`,
    },
    { side: 'source', what: `publication ${name}`, dropSql: `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)};` },
    { side: 'target', what: `schema ${BOOKKEEPING_SCHEMA}`, dropSql: `DROP SCHEMA ${BOOKKEEPING_SCHEMA} CASCADE;` },
  ];
}

/** Which sides have had the bookkeeping schema before; it is another task's then. */
export interface Before {
  readonly hadSchema: { readonly source: boolean; readonly target: boolean };
}

export async function lookBefore({ source, target }: Databases): Promise<Before> {
  // Why a server cannot be reached is told by the task's connection test, step by step.
  const look = (endpoint: Endpoint): Promise<boolean> => hasSchema(endpoint).catch(() => false);
  const [onSource, onTarget] = await Promise.all([look(source), look(target)]);
  return { hadSchema: { source: onSource, target: onTarget } };
}

/** What the task has left on the two servers; empty is what it should be. */
export async function findLeftovers(databases: Databases, taskId: string, before: Before): Promise<HelperObject[]> {
  const name = helperObjectName(taskId);
  const { hadSchema } = before;
  await using client = await connect(databases.source, { applicationName: 'leftovers' });
  const { rows } = await client.query<{ slot: boolean; publication: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1) AS slot,
            EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = $1) AS publication`,
    [name],
  );
  const [slot, publication, schema] = helperObjects(taskId);
  const isThere: readonly (readonly [boolean | undefined, HelperObject | undefined])[] = [
    [rows[0]?.slot, slot],
    [rows[0]?.publication, publication],
    [!hadSchema.target && (await hasSchema(databases.target)), schema],
    [!hadSchema.source && (await hasSchema(databases.source)), schema && { ...schema, side: 'source' }],
  ];
  return isThere.flatMap(([exists, object]) => (exists && object ? [object] : []));
}

async function hasSchema(endpoint: Endpoint): Promise<boolean> {
  await using client = await connect(endpoint, { applicationName: 'leftovers' });
  const { rowCount } = await client.query('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [
    BOOKKEEPING_SCHEMA,
  ]);
  return rowCount === 1;
}
