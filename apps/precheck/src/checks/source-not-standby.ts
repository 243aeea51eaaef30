import { type Check, failed, FOLLOWING, passed } from '../check.js';

export const sourceNotStandby: Check = {
  id: 'source-not-standby',
  title: 'Source is not a standby',
  onlyFor: FOLLOWING,
  run: async ({ sourceFacts }) => {
    if (!sourceFacts.isInRecovery) return passed('not in recovery');
    return failed({
      evidence: 'pg_is_in_recovery() is true',
      reason: 'A standby is read-only: the publication that a task needs cannot be created on it.',
      fix: 'Name the primary server as source.',
    });
  },
};
