import { connect, type Endpoint } from '@sluice/postgres-client';
import { readStructure, readTargetFacts } from '@sluice/postgres-schema';

interface Side {
  readonly endpoint: Endpoint;
}

/** Everything that a database is made of but its rows, as the statements that would make it again. */
export async function structureOf({ endpoint }: Side): Promise<string[]> {
  await using client = await connect(endpoint, { applicationName: 'structure', settings: { search_path: '' } });
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const plan = await readStructure(client, { target: await readTargetFacts(client), roles: 'existing' });
  await client.query('COMMIT');
  return [...plan.preData, ...plan.postData].map(({ sql }) => sql);
}
