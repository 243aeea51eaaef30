import { type QualifiedName, type TableFacts } from '@sluice/postgres-catalog';
import {
  type Client,
  hasSqlState,
  inTransaction,
  quoteIdentifier,
  quoteQualified,
  SQLSTATE,
} from '@sluice/postgres-client';

const TRUNCATE_SINCE = 110_000;
const VIA_PARTITION_ROOT_SINCE = 130_000;
const GENERATED_COLUMNS_SINCE = 180_000;

/** Tables whose changes can be decoded: those that store rows themselves and write WAL. */
export function publishedTables(tables: readonly TableFacts[]): TableFacts[] {
  return tables.filter(({ kind, persistence }) => kind === 'table' && persistence === 'permanent');
}

/**
 * Makes the publication of a task. Tables are listed one by one: FOR ALL TABLES would make UPDATE and DELETE fail on
 * the source for every table without identity, ours or not. Partitions are listed, and not their root, so that a row
 * is written where it was. Must happen before the slot is made: decoding looks the publication up as of each change.
 */
export async function ensurePublication(
  source: Client,
  publicationName: string,
  { tables, versionNum }: { readonly tables: readonly TableFacts[]; readonly versionNum: number },
): Promise<void> {
  const list = publishedTables(tables).map(({ schema, name }) => `ONLY ${quoteQualified(schema, name)}`);
  const publish = `insert, update, delete${versionNum >= TRUNCATE_SINCE ? ', truncate' : ''}`;
  const options = [
    `publish = '${publish}'`,
    ...(versionNum >= VIA_PARTITION_ROOT_SINCE ? ['publish_via_partition_root = false'] : []),
    // Without, the source itself would refuse to update and delete rows of a table whose identity holds such a column.
    ...(versionNum >= GENERATED_COLUMNS_SINCE ? ['publish_generated_columns = stored'] : []),
  ];
  const publication = quoteIdentifier(publicationName);
  const forTables = list.length === 0 ? '' : ` FOR TABLE ${list.join(', ')}`;
  try {
    await source.query(`CREATE PUBLICATION ${publication}${forTables} WITH (${options.join(', ')})`);
  } catch (error) {
    if (!hasSqlState(error, SQLSTATE.duplicateObject)) throw error;
    // Left by a run that was killed before the slot: no change was decoded under it yet.
    if (list.length > 0) await source.query(`ALTER PUBLICATION ${publication} SET TABLE ${list.join(', ')}`);
    await source.query(`ALTER PUBLICATION ${publication} SET (${options.join(', ')})`);
  }
}

/** New writers of the table wait behind us, so it is better to try again later. */
const WRITERS_LOCK_TIMEOUT_MS = 5_000;

/**
 * Adds tables to the publication of a task. The lock waits for the transactions that have written to them: servers
 * without the fix of 2025 go on to leave out the changes of a table that was published in the middle of such a
 * transaction. Changes are complete in what commits under a snapshot that is made afterwards.
 */
export async function publishTables(
  source: Client,
  publicationName: string,
  tables: readonly QualifiedName[],
): Promise<void> {
  const list = tables.map(({ schema, name }) => `ONLY ${quoteQualified(schema, name)}`).join(', ');
  await inTransaction(source, 'BEGIN', async () => {
    await source.query(`SET LOCAL lock_timeout = ${WRITERS_LOCK_TIMEOUT_MS}`);
    await source.query(`LOCK TABLE ${list} IN SHARE ROW EXCLUSIVE MODE`);
    await source.query(`ALTER PUBLICATION ${quoteIdentifier(publicationName)} ADD TABLE ${list}`);
  });
}

/** Takes tables out of the publication of a task; what was written to them in transactions that are open is waited for, as by `publishTables`. */
export async function withdrawTables(
  source: Client,
  publicationName: string,
  tables: readonly QualifiedName[],
): Promise<void> {
  const list = tables.map(({ schema, name }) => `ONLY ${quoteQualified(schema, name)}`).join(', ');
  await inTransaction(source, 'BEGIN', async () => {
    await source.query(`SET LOCAL lock_timeout = ${WRITERS_LOCK_TIMEOUT_MS}`);
    await source.query(`LOCK TABLE ${list} IN SHARE ROW EXCLUSIVE MODE`);
    await source.query(`ALTER PUBLICATION ${quoteIdentifier(publicationName)} DROP TABLE ${list}`);
  });
}

export async function dropPublication(source: Client, publicationName: string): Promise<void> {
  await source.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(publicationName)}`);
}
