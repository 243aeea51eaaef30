import { quoteIdentifier } from '@sluice/postgres-client';
import { type UnsupportedObject } from '../plan.js';
import { GRANT_OPTIONS_SINCE, type Membership } from './membership.js';
import { type RoleFacts } from './role-facts.js';
import { type TargetAccount } from './target-account.js';

export interface MembershipSituation {
  /** All of the source. */
  readonly roles: ReadonlyMap<string, RoleFacts>;
  readonly memberships: readonly Membership[];
  readonly account: TargetAccount;
  /** Roles that the task brings to the target. */
  readonly brought: ReadonlySet<string>;
}

export interface PlannedMemberships {
  /** In an order in which each grantor has its ADMIN OPTION before it grants. */
  readonly memberships: readonly Membership[];
  readonly omitted: readonly UnsupportedObject[];
}

/**
 * What the brought roles are members of. Roles that the target had before get no membership: they are left untouched.
 */
export function planMemberships(situation: MembershipSituation): PlannedMemberships {
  const ofBrought = situation.memberships.filter(({ member }) => situation.brought.has(member));
  const obstacles = new Map(ofBrought.map((membership) => [membership, obstacleTo(membership, situation)]));
  const kept = ofBrought.filter((membership) => obstacles.get(membership) === null);
  return {
    memberships: withGrantors(kept, situation),
    omitted: ofBrought.flatMap((membership) => {
      const reason = obstacles.get(membership);
      return typeof reason === 'string' ? [{ kind: 'membership', identity: identityOf(membership), reason }] : [];
    }),
  };
}

function identityOf({ role, member }: Membership): string {
  return `membership of role ${quoteIdentifier(member)} in ${quoteIdentifier(role)}`;
}

function obstacleTo({ role }: Membership, { account, brought }: MembershipSituation): string | null {
  if (brought.has(role)) return null;
  const known = account.roles.get(role);
  if (!known) return 'that role is missing on the target';
  if (!known.isGrantable) return `${account.name} may not grant that role on the target`;
  if (!account.isSuperuser && (role === account.name || known.isChild)) {
    return `${account.name} is to be a member of the role itself`;
  }
  return null;
}

/**
 * Only a superuser can grant in the name of others. Since PostgreSQL 16 those need ADMIN OPTION themselves, which must
 * come before; what a superuser of the source granted, a superuser of the target does.
 */
function withGrantors(kept: readonly Membership[], situation: MembershipSituation): Membership[] {
  const { account, brought, roles } = situation;
  const needsAdmin = account.versionNum >= GRANT_OPTIONS_SINCE;
  const named = kept.map((membership) => {
    const { grantor } = membership;
    const isKnown = grantor !== null && (brought.has(grantor) || (!needsAdmin && account.roles.has(grantor)));
    const keeps = account.isSuperuser && isKnown && roles.get(grantor)?.isSuperuser !== true;
    return keeps ? membership : { ...membership, grantor: null };
  });
  return merged(needsAdmin ? inOrderOfAdmins(named) : named);
}

function inOrderOfAdmins(memberships: readonly Membership[]): Membership[] {
  const ordered: Membership[] = [];
  let left = [...memberships];
  for (;;) {
    const isReady = ({ role, grantor }: Membership): boolean =>
      grantor === null ||
      ordered.some((earlier) => earlier.role === role && earlier.member === grantor && earlier.isAdmin);
    const ready = left.filter(isReady);
    if (ready.length === 0) break;
    left = left.filter((membership) => !ready.includes(membership));
    ordered.push(...ready);
  }
  // Their grantors got ADMIN OPTION in a way that does not come along.
  return [...ordered, ...left.map((membership) => ({ ...membership, grantor: null }))];
}

/** One grant for each role, member and grantor: a second one would take back options of the first. */
function merged(memberships: readonly Membership[]): Membership[] {
  const groups = Map.groupBy(memberships, ({ role, member, grantor }) => JSON.stringify([role, member, grantor]));
  return [...groups.values()].map((group) =>
    group.reduce((one, other) => ({
      ...one,
      isAdmin: one.isAdmin || other.isAdmin,
      inherits: either(one.inherits, other.inherits),
      maySet: either(one.maySet, other.maySet),
    })),
  );
}

function either(one: boolean | null, other: boolean | null): boolean | null {
  return one === null || other === null ? null : one || other;
}
