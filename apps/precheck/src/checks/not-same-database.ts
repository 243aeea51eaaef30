import { readRows, sql } from '@sluice/postgres-catalog';
import { randomInt } from 'node:crypto';
import { type Check, failed, passed } from '../check.js';

/**
 * Takes an advisory lock on the source and looks for it on the target. Unlike the system identifier it tells a database
 * from a copy of its files, needs no privilege, and is not misled by addresses.
 */
export const notSameDatabase: Check = {
  id: 'not-same-database',
  title: 'Source and target are two databases',
  run: async ({ source, target, sourceFacts, targetFacts }) => {
    const [high, low] = [randomInt(2 ** 31), randomInt(2 ** 31)];
    // Ends with the transaction of the check.
    await readRows(source, sql`SELECT pg_catalog.pg_advisory_xact_lock($1, $2)`, [high, low]);
    const seen = await readRows(
      target,
      sql`
        SELECT l.pid
        FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_database d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = $2 AND d.datname = current_database()`,
      [high, low],
    );
    const evidence = `source ${sourceFacts.databaseName}, target ${targetFacts.databaseName}`;
    if (seen.length === 0) return passed(evidence);
    return failed({
      evidence: `${evidence}: a lock taken on one is seen on the other`,
      reason: 'Both addresses lead to the same database, which would be loaded into itself.',
      fix: 'Choose another target database.',
    });
  },
};
