import { type RoleObstacle, type UserOptions } from '@sluice/contracts';
import { unreachable } from '@sluice/kernel';
import { quoteIdentifier } from '@sluice/postgres-client';
import { type RefusedRole, type RolePlan } from '@sluice/postgres-schema';
import {
  type Check,
  type CheckContext,
  failed,
  type Finding,
  listSome,
  passed,
  statements,
  warning,
} from '../check.js';

export const users: Check = {
  id: 'users',
  title: 'Roles of the source can be created on the target',
  dependsOn: ['target-writable'],
  run: async (context) => {
    const plan = await context.rolePlan();
    if (!plan) return passed('no role is synchronized');
    const { severe, tolerable } = weigh(plan, context.users);
    if (severe.length > 0) return failed(problemOf(severe, context));
    const omitted = plan.omitted.map(({ identity, reason }) => `${identity}: ${reason}`);
    if (tolerable.length + omitted.length === 0) return passed(summaryOf(plan));
    return withOmissions(tolerable, omitted, context);
  },
};

interface Weighed {
  readonly severe: readonly RefusedRole[];
  /** Of `all`: they are left out, and a person should know. */
  readonly tolerable: readonly RefusedRole[];
}

/**
 * A role that was named must come. Of `all` those are left out in silence that the target has already or that belong to
 * a server; what one grant would mend for every role is no reason to leave them all out.
 */
function weigh({ refused }: RolePlan, { roles }: UserOptions): Weighed {
  if (roles !== 'all') return { severe: refused, tolerable: [] };
  const needed = refused.filter(({ obstacles }) => !obstacles.some(({ kind }) => isPartOfServer(kind)));
  const isMendable = ({ obstacles }: RefusedRole): boolean =>
    obstacles.some(({ kind }) => kind === 'createrole_missing' || kind === 'password_unreadable');
  return { severe: needed.filter(isMendable), tolerable: needed.filter((role) => !isMendable(role)) };
}

function isPartOfServer(kind: RoleObstacle['kind']): boolean {
  return kind === 'reserved' || kind === 'target_account' || kind === 'exists_on_target';
}

function summaryOf({ roles, refused }: RolePlan): string {
  const created = `${roles.length} will be created: ${listSome(roles.map(({ name }) => name)) || 'none'}`;
  return refused.length === 0 ? created : `${created}; ${refused.length} stay as they are`;
}

function withOmissions(tolerable: readonly RefusedRole[], omitted: readonly string[], context: CheckContext): Finding {
  return warning({
    evidence: listSome([...tolerable.map(describe), ...omitted]),
    reason: 'The target will not have them. Owners and privileges of a missing role go to nobody.',
    fix: statements(['-- nothing has to be done if the target can do without them', ...fixesOf(tolerable, context)]),
  });
}

function problemOf(refused: readonly RefusedRole[], context: CheckContext) {
  return {
    evidence: listSome(refused.map(describe)),
    reason: 'The task was told to bring these roles, and could not.',
    fix: statements(fixesOf(refused, context)),
  };
}

function describe({ name, obstacles, isMissing }: RefusedRole): string {
  if (isMissing) return `${name}: the source has no such role`;
  return `${name}: ${obstacles.map(({ reason }) => reason).join(', ')}`;
}

/** Each once, however many roles need it. */
function fixesOf(refused: readonly RefusedRole[], context: CheckContext): string[] {
  const fixes = refused.flatMap(({ name, obstacles, isMissing }) => {
    if (isMissing) return [leaveOut(name)];
    return obstacles.map(({ kind }) => fixOf(kind, name, context));
  });
  return [...new Set(fixes)];
}

function fixOf(kind: RoleObstacle['kind'], name: string, { sourceFacts, targetFacts }: CheckContext): string {
  const account = quoteIdentifier(targetFacts.currentUser);
  switch (kind) {
    case 'reserved':
    case 'target_account':
    case 'exists_on_target':
      return leaveOut(name);
    case 'createrole_missing':
      return `ALTER ROLE ${account} CREATEROLE; -- on the target`;
    case 'attribute_not_grantable':
      return `-- leave role ${quoteIdentifier(name)} out, or give ${account} its attributes on the target (before PostgreSQL 16: SUPERUSER)`;
    case 'superuser_grantor':
      return `-- leave role ${quoteIdentifier(name)} out, or set users.privileges to false, or let ${account} grant what it is a member of (WITH ADMIN OPTION)`;
    case 'password_unreadable':
      return `GRANT SELECT ON pg_catalog.pg_authid TO ${quoteIdentifier(sourceFacts.currentUser)}; -- on the source; or set users.passwords to false`;
    default:
      return unreachable(kind);
  }
}

function leaveOut(name: string): string {
  return `-- leave role ${quoteIdentifier(name)} out of the task`;
}
