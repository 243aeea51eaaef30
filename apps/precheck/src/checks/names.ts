import { OWN_SCHEMA, readRows, sql } from '@sluice/postgres-catalog';
import { type Client, quoteIdentifier } from '@sluice/postgres-client';
import { type Check, failed, passed } from '../check.js';

export const names: Check = {
  id: 'names',
  title: 'Names of the source can be used on the target',
  run: async ({ source, target }) => {
    const [sourceBytesMax, targetBytesMax] = [await readNameBytesMax(source), await readNameBytesMax(target)];
    if (targetBytesMax < sourceBytesMax) {
      return failed({
        evidence: `names have up to ${sourceBytesMax} bytes on the source and ${targetBytesMax} on the target`,
        reason: 'The target would cut long names silently.',
        fix: 'Use a target that was built with the same limit of names.',
      });
    }
    if (await holdsOwnSchema(source)) {
      return failed({
        evidence: `the source has tables in a schema named ${OWN_SCHEMA}`,
        reason: 'That schema holds the bookkeeping of tasks on a target; its tables would not be transferred.',
        fix: `ALTER SCHEMA ${quoteIdentifier(OWN_SCHEMA)} RENAME TO …;\n-- or DROP SCHEMA ${quoteIdentifier(OWN_SCHEMA)} CASCADE; if it is left over from a task`,
      });
    }
    return passed(`names have up to ${sourceBytesMax} bytes on both sides`);
  },
};

async function readNameBytesMax(client: Client): Promise<number> {
  const [row] = await readRows<{ bytes: number }>(
    client,
    sql`SELECT pg_catalog.current_setting('max_identifier_length')::int AS bytes`,
  );
  return row?.bytes ?? 0;
}

async function holdsOwnSchema(source: Client): Promise<boolean> {
  const rows = await readRows(
    source,
    sql`
      SELECT c.oid
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
      LIMIT 1`,
    [OWN_SCHEMA],
  );
  return rows.length > 0;
}
