import { OWN_SCHEMA, readRows, sql } from '@sluice/postgres-catalog';
import { type Client, quoteIdentifier } from '@sluice/postgres-client';
import { type StructurePlan } from '@sluice/postgres-schema';
import { type Check, failed, listSome, passed } from '../check.js';

export const names: Check = {
  id: 'names',
  title: 'Names of the source can be used on the target',
  run: async ({ source, target, structure }) => {
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
    if (await isWithoutEncoding(source)) {
      const unreadable = unreadableIn(await structure());
      if (unreadable.length > 0) {
        return failed({
          evidence: `not UTF-8: ${listSome(unreadable)}`,
          reason: `The database is encoded in SQL_ASCII. Its rows are taken as the bytes that they are; names and definitions become statements, which are UTF-8.`,
          fix: 'Rename or define anew what is named, in UTF-8.',
        });
      }
    }
    return passed(`names have up to ${sourceBytesMax} bytes on both sides`);
  },
};

async function isWithoutEncoding(client: Client): Promise<boolean> {
  const [row] = await readRows<{ encoding: string }>(
    client,
    sql`SELECT pg_catalog.getdatabaseencoding()::text AS encoding`,
  );
  return row?.encoding === 'SQL_ASCII';
}

/** What stands for bytes that are no character when text is read. */
const REPLACEMENT = '\ufffd';

function unreadableIn({ preData, postData }: StructurePlan): string[] {
  return [...preData, ...postData]
    .filter(({ sql: text }) => text.includes(REPLACEMENT))
    .map(({ identity }) => identity);
}

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
