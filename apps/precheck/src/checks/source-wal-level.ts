import { type Check, failed, FOLLOWING, passed } from '../check.js';

export const sourceWalLevel: Check = {
  id: 'source-wal-level',
  title: 'Source writes what logical replication needs into its WAL',
  onlyFor: FOLLOWING,
  run: async ({ sourceFacts }) => {
    const evidence = `wal_level is ${sourceFacts.walLevel}`;
    if (sourceFacts.walLevel === 'logical') return passed(evidence);
    return failed({
      evidence,
      reason: 'Logical replication needs wal_level = logical.',
      fix: "ALTER SYSTEM SET wal_level = 'logical';\n-- then restart the source; managed services have a parameter of their own, such as rds.logical_replication",
    });
  },
};
