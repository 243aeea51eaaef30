import { type Question, type Side, type TaskId } from '@sluice/contracts';
import { requestEndpoints } from '@sluice/messaging';
import { type Client, connect, type Endpoint, toEndpoint } from '@sluice/postgres-client';
import { type RuntimeContext } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';

/** Both databases of the task that a question is about. */
export async function endpointsOf(
  { bus, config, service }: RuntimeContext<ConnectionTestConfig>,
  taskId: TaskId,
): Promise<Readonly<Record<Side, Endpoint>>> {
  const { source, target } = await requestEndpoints(bus, taskId, { service, busKey: config.SLUICE_BUS_KEY });
  return { source: toEndpoint(source), target: toEndpoint(target) };
}

/**
 * A session for one question, in a read-only transaction that sees one moment; `await using` closes it. It does not
 * outlive the question: neither the server nor we wait longer than its deadline. A refused login is not repeated, as
 * that can lock the account.
 */
export async function openForQuestion(endpoint: Endpoint, { deadlineMs }: Question): Promise<Client> {
  const client = await connect(endpoint, {
    applicationName: 'question',
    connectTimeoutMs: deadlineMs,
    queryTimeoutMs: deadlineMs,
    settings: { search_path: '', statement_timeout: String(deadlineMs) },
  });
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
