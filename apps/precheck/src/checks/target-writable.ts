import { readRows, sql } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type Check, failed, passed } from '../check.js';

export const targetWritable: Check = {
  id: 'target-writable',
  title: 'Target can be written to',
  run: async ({ target, targetFacts }) => {
    if (targetFacts.isInRecovery) {
      return failed({
        evidence: 'pg_is_in_recovery() is true',
        reason: 'A standby is read-only.',
        fix: 'Name the primary server as target, or promote this one.',
      });
    }
    // Not transaction_read_only: the check itself runs in a read-only transaction.
    const [row] = await readRows<{ readOnly: string }>(
      target,
      sql`SELECT pg_catalog.current_setting('default_transaction_read_only') AS "readOnly"`,
    );
    const evidence = `default_transaction_read_only is ${row?.readOnly}`;
    if (row?.readOnly === 'off') return passed(evidence);
    return failed({
      evidence,
      reason: 'Every transaction on the target would be refused to write.',
      fix: `ALTER DATABASE ${quoteIdentifier(targetFacts.databaseName)} SET default_transaction_read_only = off;
ALTER ROLE ${quoteIdentifier(targetFacts.currentUser)} SET default_transaction_read_only = off;`,
    });
  },
};
