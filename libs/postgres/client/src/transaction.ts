import { type ClientBase } from 'pg';

/** Runs `work` inside BEGIN … COMMIT; rolls back and rethrows when it fails. */
export async function inTransaction<T>(
  client: ClientBase,
  begin: `BEGIN${string}`,
  work: () => Promise<T>,
): Promise<T> {
  await client.query(begin);
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // The connection may be the reason; then the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
