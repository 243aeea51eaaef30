import {
  readLargeObjectFacts,
  readRolesOfLargeObjects,
  readRows,
  readUnreadableLargeObjects,
  sql,
} from '@sluice/postgres-catalog';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type Check, type CheckContext, failed, FOLLOWING, listSome, passed, statements, warning } from '../check.js';

export const sourceLargeObjects: Check = {
  id: 'source-large-objects',
  title: 'Large objects of the source come along',
  run: async (context) => {
    const { source, sourceFacts, syncType, judge } = context;
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
    const missing = await findMissingRoles(context);
    const isFollowing = FOLLOWING.includes(syncType);
    if (!isFollowing && missing.length === 0) return passed(`${count} are copied`);
    return warning({
      evidence: [
        `${count} large objects on the source`,
        ...(missing.length > 0 ? [`their roles that the target lacks: ${listSome(missing)}`] : []),
      ].join('; '),
      reason: [...(isFollowing ? [NOT_FOLLOWED] : []), ...(missing.length > 0 ? [WITHOUT_ROLES] : [])].join(' '),
      fix: isFollowing
        ? 'Let nobody write to large objects while the task runs, or copy what has changed by hand at its end.'
        : 'Create the roles on the target, or let the task bring them along; otherwise nothing has to be done.',
    });
  },
};

const NOT_FOLLOWED =
  'They are copied once, as the full load finds them. No later change of them is in the stream of changes: large objects that are created, written or removed on the source afterwards stay as they were on the target.';
const WITHOUT_ROLES =
  'What such a role owns will belong to the role of the target, and what it was granted is left out.';

async function findMissingRoles({ source, target, rolePlan }: CheckContext): Promise<string[]> {
  const roles = await readRows<{ name: string }>(target, sql`SELECT rolname::text AS name FROM pg_catalog.pg_roles`);
  const created = (await rolePlan())?.roles ?? [];
  const known = new Set([...roles, ...created].map(({ name }) => name));
  return (await readRolesOfLargeObjects(source)).filter((name) => !known.has(name));
}
