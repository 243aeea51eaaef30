import { describe, expect, it } from '@jest/globals';
import { grantMembership, type Membership } from './membership.js';
import { planMemberships } from './plan-memberships.js';
import { type RoleFacts } from './role-facts.js';
import { type TargetAccount } from './target-account.js';

const ROLE: RoleFacts = {
  name: '',
  isBootstrap: false,
  isSuperuser: false,
  inherits: true,
  canCreateRole: false,
  canCreateDb: false,
  canLogIn: false,
  canReplicate: false,
  bypassesRls: false,
  connectionLimit: -1,
  validUntil: null,
  comment: null,
  settings: [],
  databaseSettings: [],
};
const ACCOUNT: TargetAccount = {
  versionNum: 180_000,
  name: 'loader',
  isSuperuser: true,
  canCreateRole: true,
  canCreateDb: true,
  canReplicate: true,
  bypassesRls: true,
  ownsDatabase: true,
  databaseName: 'db',
  roles: new Map(),
};
const BROUGHT = ['a', 'b', 'c', 'd'];

const membership = (role: string, member: string, rest: Partial<Membership> = {}): Membership => ({
  role,
  member,
  grantor: 'postgres',
  isAdmin: false,
  inherits: null,
  maySet: null,
  ...rest,
});

function plan(memberships: readonly Membership[], account: Partial<TargetAccount> = {}) {
  const roles = [...BROUGHT, 'postgres'].map((name) => ({ ...ROLE, name, isSuperuser: name === 'postgres' }));
  const { memberships: planned, omitted } = planMemberships({
    roles: new Map(roles.map((role) => [role.name, role])),
    memberships,
    account: { ...ACCOUNT, ...account },
    brought: new Set(BROUGHT),
  });
  const { versionNum } = { ...ACCOUNT, ...account };
  return { grants: planned.map((each) => grantMembership(each, versionNum)), omitted };
}

describe('planMemberships', () => {
  it('grants ADMIN OPTION before those who have it grant', () => {
    const { grants } = plan([
      membership('a', 'd', { grantor: 'c' }),
      membership('a', 'c', { grantor: 'b', isAdmin: true }),
      membership('a', 'b', { isAdmin: true }),
    ]);
    expect(grants).toEqual([
      'GRANT "a" TO "b" WITH ADMIN OPTION',
      'GRANT "a" TO "c" WITH ADMIN OPTION GRANTED BY "b"',
      'GRANT "a" TO "d" GRANTED BY "c"',
    ]);
  });

  it('writes the options of the grant where the source has them', () => {
    const options = { inherits: false, maySet: true, isAdmin: true };
    expect(plan([membership('a', 'b', options)]).grants).toEqual([
      'GRANT "a" TO "b" WITH ADMIN TRUE, INHERIT FALSE, SET TRUE',
    ]);
  });

  it('grants itself what somebody granted who has no ADMIN OPTION', () => {
    expect(plan([membership('a', 'b', { grantor: 'c' })]).grants).toEqual(['GRANT "a" TO "b"']);
  });

  it('keeps every grantor before PostgreSQL 16', () => {
    const memberships = [membership('a', 'b', { grantor: 'c' })];
    expect(plan(memberships, { versionNum: 150_000 }).grants).toEqual(['GRANT "a" TO "b" GRANTED BY "c"']);
  });

  it('makes one grant of several when it cannot grant in their names', () => {
    const { grants } = plan(
      [
        membership('a', 'b', { inherits: true, maySet: false, isAdmin: true }),
        membership('a', 'b', { inherits: false, maySet: true, grantor: 'c' }),
      ],
      { isSuperuser: false },
    );
    expect(grants).toEqual(['GRANT "a" TO "b" WITH ADMIN TRUE, INHERIT TRUE, SET TRUE']);
  });

  it('names what it leaves out, and gives nothing to roles that it does not bring', () => {
    const known = { isSuperuser: false, isParent: false, isChild: false, isGrantable: false };
    const { grants, omitted } = plan(
      [membership('gone', 'a'), membership('locked', 'b'), membership('a', 'stranger')],
      { isSuperuser: false, roles: new Map([['locked', known]]) },
    );
    expect(grants).toEqual([]);
    expect(omitted.map(({ identity, reason }) => `${identity}: ${reason}`)).toEqual([
      'membership of role "a" in "gone": that role is missing on the target',
      'membership of role "b" in "locked": loader may not grant that role on the target',
    ]);
  });
});
