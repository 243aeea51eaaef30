import { helperObjectName } from '@sluice/contracts';
import { connect, type Endpoint } from '@sluice/postgres-client';

interface Side {
  readonly endpoint: Endpoint;
}

/** What a task has on the two servers: slots, publications, bookkeeping. Empty is what it should be before and after. */
export async function helperObjects(
  taskId: string,
  { source, target }: { source: Side; target: Side },
): Promise<string[]> {
  const found: string[] = [];
  for (const [side, { endpoint }] of Object.entries({ source, target })) {
    await using client = await connect(endpoint, { applicationName: 'helper objects' });
    const { rows } = await client.query<{ what: string }>(
      `SELECT 'slot ' || slot_name AS what FROM pg_replication_slots WHERE slot_name LIKE $1 || '%'
       UNION ALL SELECT 'publication ' || pubname FROM pg_publication
       UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'sluice'`,
      [helperObjectName(taskId)],
    );
    found.push(...rows.map(({ what }) => `${side}: ${what}`));
  }
  return found;
}
