import { type RoleObstacle, type UserOptions } from '@sluice/contracts';
import { type Membership } from './membership.js';
import { isReservedRole } from './reserved-roles.js';
import { type RoleFacts } from './role-facts.js';
import { type TargetAccount } from './target-account.js';

/** What a task wants to bring of each role. */
export type RoleWishes = Pick<UserOptions, 'passwords' | 'privileges'>;

export interface RoleCircumstances {
  readonly account: TargetAccount;
  readonly wishes: RoleWishes;
  /** The session of the source may read hashes. */
  readonly arePasswordsReadable: boolean;
  /** All of the source. */
  readonly roles: ReadonlyMap<string, RoleFacts>;
  readonly memberships: readonly Membership[];
}

/** From then on CREATEROLE gives no attribute that it does not have. */
const CREATEROLE_LIMITED_SINCE = 160_000;

/** Why a role of the source cannot be brought to the target; nothing when it can. */
export function findObstacles(role: RoleFacts, circumstances: RoleCircumstances): RoleObstacle[] {
  return [
    ...reserved(role),
    ...onTarget(role, circumstances.account),
    ...notCreatable(role, circumstances.account),
    ...notGrantable(role, circumstances),
    ...passwordUnreadable(circumstances),
  ];
}

function reserved({ name, isBootstrap }: RoleFacts): RoleObstacle[] {
  if (isReservedRole(name)) {
    return [{ kind: 'reserved', reason: 'the name belongs to the server or to the service that runs it' }];
  }
  return isBootstrap ? [{ kind: 'reserved', reason: 'it was made with the server' }] : [];
}

function onTarget({ name }: RoleFacts, account: TargetAccount): RoleObstacle[] {
  const known = account.roles.get(name);
  if (!known) return [];
  const exists = {
    kind: 'exists_on_target',
    reason: 'the target has a role of this name, which is left untouched',
  } as const;
  if (name === account.name)
    return [{ kind: 'target_account', reason: 'the task connects to the target as it' }, exists];
  if (!known.isParent) return [exists];
  return [{ kind: 'target_account', reason: `${account.name}, as which the task connects, is a member of it` }, exists];
}

function notCreatable(role: RoleFacts, account: TargetAccount): RoleObstacle[] {
  if (account.isSuperuser) return [];
  if (!account.canCreateRole)
    return [{ kind: 'createrole_missing', reason: `${account.name} lacks CREATEROLE on the target` }];
  const isLimited = account.versionNum >= CREATEROLE_LIMITED_SINCE;
  const refused = [
    ...(role.isSuperuser ? ['SUPERUSER'] : []),
    ...(role.canReplicate && !(isLimited && account.canReplicate) ? ['REPLICATION'] : []),
    ...(role.bypassesRls && !(isLimited && account.bypassesRls) ? ['BYPASSRLS'] : []),
    ...(role.canCreateDb && isLimited && !account.canCreateDb ? ['CREATEDB'] : []),
  ];
  if (refused.length === 0) return [];
  return [
    { kind: 'attribute_not_grantable', reason: `${account.name} may not give ${refused.join(', ')} on the target` },
  ];
}

/** A membership that the account can neither grant nor will be able to, as the role is not among those it creates. */
function notGrantable(role: RoleFacts, { account, wishes, roles, memberships }: RoleCircumstances): RoleObstacle[] {
  if (account.isSuperuser || !wishes.privileges) return [];
  const refused = memberships
    .filter(({ member }) => member === role.name)
    .filter(({ role: parent }) => {
      const known = account.roles.get(parent);
      if (!known) return roles.get(parent)?.isSuperuser === true;
      // What the account is in cannot become a member of what the account is itself a member of.
      return !known.isGrantable || parent === account.name || known.isChild;
    })
    .map(({ role: parent }) => parent);
  if (refused.length === 0) return [];
  const parents = [...new Set(refused)].join(', ');
  return [{ kind: 'superuser_grantor', reason: `only a superuser of the target could make it a member of ${parents}` }];
}

function passwordUnreadable({ wishes, arePasswordsReadable }: RoleCircumstances): RoleObstacle[] {
  if (!wishes.passwords || arePasswordsReadable) return [];
  return [{ kind: 'password_unreadable', reason: 'the account of the source may not read pg_authid' }];
}
