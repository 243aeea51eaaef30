import { type PostgresServer } from '@sluice/embedded';
import { compareDatabases, describeDifferences } from '@sluice/postgres-compare';
import { openClient } from './bench-servers.js';

/** @throws when a table's content differs. */
export async function requireEqual(
  source: { readonly server: PostgresServer; readonly database: string },
  target: { readonly server: PostgresServer; readonly database: string },
): Promise<void> {
  await using left = await openClient(source.server, source.database);
  await using right = await openClient(target.server, target.database);
  const report = await compareDatabases(left, right);
  if (!report.equal) throw new Error(`the target is not equal: ${describeDifferences(report).slice(0, 3).join('; ')}`);
}
