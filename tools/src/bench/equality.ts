import { type PostgresServer } from '@sluice/embedded';
import { compareDatabases, type CompareOptions, describeDifferences } from '@sluice/postgres-compare';
import { openClient } from './bench-servers.js';

interface ComparedDatabase {
  readonly server: PostgresServer;
  readonly database: string;
}

/** @throws when a table's content differs. */
export async function requireEqual(
  source: ComparedDatabase,
  target: ComparedDatabase,
  options: Pick<CompareOptions, 'tables'> = {},
): Promise<void> {
  await using left = await openClient(source.server, source.database);
  await using right = await openClient(target.server, target.database);
  const report = await compareDatabases(left, right, options);
  if (!report.equal) throw new Error(`the target is not equal: ${describeDifferences(report).slice(0, 3).join('; ')}`);
}
