import { describe, expect, it } from '@jest/globals';
import { findObstacles, type RoleCircumstances } from './judge-role.js';
import { type Membership } from './membership.js';
import { type RoleFacts } from './role-facts.js';
import { type TargetAccount, type TargetRole } from './target-account.js';

const PLAIN: RoleFacts = {
  name: 'app',
  isBootstrap: false,
  isSuperuser: false,
  inherits: true,
  canCreateRole: false,
  canCreateDb: false,
  canLogIn: true,
  canReplicate: false,
  bypassesRls: false,
  connectionLimit: -1,
  validUntil: null,
  comment: null,
  settings: [],
  databaseSettings: [],
};
const KNOWN: TargetRole = { isSuperuser: false, isParent: false, isChild: false, isGrantable: true };
const ACCOUNT: TargetAccount = {
  versionNum: 160_000,
  name: 'loader',
  isSuperuser: false,
  canCreateRole: true,
  canCreateDb: false,
  canReplicate: false,
  bypassesRls: false,
  ownsDatabase: true,
  databaseName: 'db',
  roles: new Map([['loader', KNOWN]]),
};

interface Case {
  readonly role?: Partial<RoleFacts>;
  readonly account?: Partial<TargetAccount>;
  readonly known?: Readonly<Record<string, Partial<TargetRole>>>;
  readonly memberOf?: string;
  readonly circumstances?: Partial<RoleCircumstances>;
}

function kinds({ role, account, known = {}, memberOf, circumstances }: Case): string[] {
  const facts = { ...PLAIN, ...role };
  const memberships: Membership[] =
    memberOf === undefined
      ? []
      : [{ role: memberOf, member: facts.name, grantor: 'postgres', isAdmin: false, inherits: null, maySet: null }];
  const targetRoles = Object.entries(known).map(([name, each]) => [name, { ...KNOWN, ...each }] as const);
  return findObstacles(facts, {
    account: { ...ACCOUNT, ...account, roles: new Map([...ACCOUNT.roles, ...targetRoles]) },
    wishes: { passwords: true, privileges: true },
    arePasswordsReadable: true,
    roles: new Map([
      [facts.name, facts],
      ['boss', { ...PLAIN, name: 'boss', isSuperuser: true }],
    ]),
    memberships,
    ...circumstances,
  }).map(({ kind }) => kind);
}

const BEFORE_16 = { versionNum: 150_000 };

describe('findObstacles', () => {
  it.each<[string, Case, string[]]>([
    ['a plain role', {}, []],
    ['one of the server', { role: { name: 'pg_monitor' } }, ['reserved']],
    ['the one that initdb made', { role: { isBootstrap: true } }, ['reserved']],
    ['one that the target has', { known: { app: {} } }, ['exists_on_target']],
    ['the account itself', { role: { name: 'loader' } }, ['target_account', 'exists_on_target']],
    ['a parent of the account', { known: { app: { isParent: true } } }, ['target_account', 'exists_on_target']],
    ['any, without CREATEROLE', { account: { canCreateRole: false } }, ['createrole_missing']],
    ['a superuser', { role: { isSuperuser: true } }, ['attribute_not_grantable']],
    ['a superuser, for a superuser', { role: { isSuperuser: true }, account: { isSuperuser: true } }, []],
    ['REPLICATION from one without it', { role: { canReplicate: true } }, ['attribute_not_grantable']],
    ['REPLICATION from one with it', { role: { canReplicate: true }, account: { canReplicate: true } }, []],
    [
      'REPLICATION from one with it before 16',
      { role: { canReplicate: true }, account: { ...BEFORE_16, canReplicate: true } },
      ['attribute_not_grantable'],
    ],
    ['BYPASSRLS from one without it', { role: { bypassesRls: true } }, ['attribute_not_grantable']],
    ['BYPASSRLS from one with it', { role: { bypassesRls: true }, account: { bypassesRls: true } }, []],
    ['CREATEDB from one without it', { role: { canCreateDb: true } }, ['attribute_not_grantable']],
    ['CREATEDB from one without it before 16', { role: { canCreateDb: true }, account: BEFORE_16 }, []],
    ['a member of a superuser', { memberOf: 'boss' }, ['superuser_grantor']],
    ['a member of what comes, too, or of nothing', { memberOf: 'group' }, []],
    ['a member of what the account may grant', { memberOf: 'group', known: { group: {} } }, []],
    [
      'a member of what it may not grant',
      { memberOf: 'group', known: { group: { isGrantable: false } } },
      ['superuser_grantor'],
    ],
    ['a member of the account', { memberOf: 'loader' }, ['superuser_grantor']],
    [
      'a member of a child of the account',
      { memberOf: 'kid', known: { kid: { isChild: true } } },
      ['superuser_grantor'],
    ],
    [
      'the same without privileges',
      { memberOf: 'loader', circumstances: { wishes: { passwords: true, privileges: false } } },
      [],
    ],
    ['any, when hashes cannot be read', { circumstances: { arePasswordsReadable: false } }, ['password_unreadable']],
    [
      'any without its password, when hashes cannot be read',
      { circumstances: { arePasswordsReadable: false, wishes: { passwords: false, privileges: true } } },
      [],
    ],
  ])('%s', (_, given, expected) => {
    expect(kinds(given)).toEqual(expected);
  });
});
