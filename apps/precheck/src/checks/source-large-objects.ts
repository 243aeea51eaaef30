import { readLargeObjectFacts, readUnreadableLargeObjects } from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type Check, failed, FOLLOWING, listSome, passed, statements, warning } from '../check.js';

export const sourceLargeObjects: Check = {
  id: 'source-large-objects',
  title: 'Large objects of the source come along',
  run: async ({ source, sourceFacts, syncType, judge }) => {
    const { count } = await readLargeObjectFacts(source);
    if (count === 0) return passed('the source has no large objects');
    if (judge.level !== 'database') return passed(`${count} left out: they belong to no table`);
    if (syncType === 'incremental') {
      return warning({
        evidence: `${count} large objects on the source`,
        reason: 'No change of a large object is in the stream of changes: the target gets none of them.',
        fix: 'Copy them by hand when nobody writes to them any more; otherwise nothing has to be done.',
      });
    }
    const unreadable = await readUnreadableLargeObjects(source);
    if (unreadable.length > 0) {
      const role = quoteIdentifier(sourceFacts.currentUser);
      return failed({
        evidence: `${sourceFacts.currentUser} may not read ${unreadable.length} of ${count}: ${listSome(unreadable.map(({ oid, owner }) => `${oid} of ${owner}`))}`,
        reason: 'Every large object has to be read.',
        fix: statements(unreadable.map(({ oid }) => `GRANT SELECT ON LARGE OBJECT ${oid} TO ${role};`)),
      });
    }
    if (!FOLLOWING.includes(syncType)) return passed(`${count} are copied`);
    return warning({
      evidence: `${count} large objects on the source`,
      reason:
        'They are copied once, as the full load finds them. No later change of them is in the stream of changes: large objects that are created, written or removed on the source afterwards stay as they were on the target.',
      fix: 'Let nobody write to large objects while the task runs, or copy what has changed by hand at its end.',
    });
  },
};
