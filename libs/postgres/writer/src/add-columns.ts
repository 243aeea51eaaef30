import { type Client, quoteIdentifier, quoteQualified } from '@sluice/postgres-client';
import { type Relation } from '@sluice/postgres-replication';

export interface AddedColumn {
  /** What stands behind ADD COLUMN; its default is what rows from before hold. */
  readonly definition: string;
  /** `null`: none. */
  readonly defaultAfterwards: { readonly column: string; readonly expression: string | null };
}

/**
 * Says what columns are that a description of the source has and the target has not; `null` when they are not to be added.
 * @throws SluiceError 5006 when that is not known well enough.
 */
export type AddedColumns = (relation: Relation, columns: readonly string[]) => Promise<readonly AddedColumn[] | null>;

/** Readers of the target wait behind us, so it is better to try again later. */
const LOCK_TIMEOUT_MS = 15_000;

/** In the transaction of the first change that needs them. @returns false when nothing was added. */
export async function addColumns(
  target: Client,
  relation: Relation,
  { columns, addedColumns }: { readonly columns: readonly string[]; readonly addedColumns: AddedColumns },
): Promise<boolean> {
  const added = await addedColumns(relation, columns);
  if (!added) return false;
  const table = `ALTER TABLE ${quoteQualified(relation.schema, relation.name)}`;
  await target.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  for (const { definition, defaultAfterwards } of added) {
    await target.query(`${table} ADD COLUMN ${definition}`);
    const { column, expression } = defaultAfterwards;
    const set = expression === null ? 'DROP DEFAULT' : `SET DEFAULT ${expression}`;
    await target.query(`${table} ALTER COLUMN ${quoteIdentifier(column)} ${set}`);
  }
  await target.query('SET LOCAL lock_timeout = 0');
  return true;
}
