import { inUserSchema, readRows, selectTables, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type Check, failed, listSome, passed } from '../check.js';

export const sourceRowSecurity: Check = {
  id: 'source-row-security',
  title: 'No row-level security hides rows of the source',
  run: async ({ source, sourceFacts, judge }) => {
    const found = await readRows<{ oid: number; schema: string; name: string }>(
      source,
      sql`
        SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND ${inUserSchema}
          AND pg_catalog.row_security_active(c.oid)
        ORDER BY 2, 3`,
    );
    const hidden = await selectTables(source, found, { judge });
    if (hidden.length === 0) return passed(`row-level security applies to no table for ${sourceFacts.currentUser}`);
    return failed({
      evidence: `it applies to ${hidden.length}: ${listSome(hidden.map(({ schema, name }) => `${schema}.${name}`))}`,
      reason: `${sourceFacts.currentUser} may not see all rows of these tables, so they cannot be copied whole.`,
      fix: `ALTER ROLE ${quoteIdentifier(sourceFacts.currentUser)} BYPASSRLS;`,
    });
  },
};
