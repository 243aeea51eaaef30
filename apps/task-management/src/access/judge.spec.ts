import { describe, expect, it } from '@jest/globals';
import { type ApiKeyScope, type Role, ROLES } from '@sluice/contracts';
import { judge, type Owners, projectsWith, type Verdict } from './judge.js';

const [SHOP, STOCK, OTHER] = [
  '0b0f6f0e-6c1c-4f5e-9d0a-2f6a5c1f7e11',
  '0b0f6f0e-6c1c-4f5e-9d0a-2f6a5c1f7e12',
  '0b0f6f0e-6c1c-4f5e-9d0a-2f6a5c1f7e13',
];
const scopeOf = (shop: Role, stock: Role): ApiKeyScope => ({
  kind: 'projects',
  projects: [
    { projectId: SHOP, role: shop },
    { projectId: STOCK, role: stock },
  ],
});

describe('judge', () => {
  it.each<[Role, Record<Role, Verdict>]>([
    ['viewer', { viewer: 'allowed', operator: 'forbidden', admin: 'forbidden' }],
    ['operator', { viewer: 'allowed', operator: 'allowed', admin: 'forbidden' }],
    ['admin', { viewer: 'allowed', operator: 'allowed', admin: 'allowed' }],
  ])('%s in the project', (has, expected) => {
    const scope = scopeOf(has, 'admin');
    const verdicts = ROLES.map((role) => [role, judge(scope, { role, owners: [SHOP] })]);
    expect(Object.fromEntries(verdicts)).toEqual(expected);
  });

  it.each<[string, Owners, Verdict]>([
    ['a project that the key does not see', [OTHER], 'hidden'],
    ['the deployment', 'deployment', 'hidden'],
    ['projects that are gone', [], 'hidden'],
    ['a project that the key sees and one that it does not', [SHOP, OTHER], 'hidden'],
    ['two projects of which one role is too weak', [SHOP, STOCK], 'forbidden'],
  ])('what belongs to %s', (_, owners, expected) => {
    expect(judge(scopeOf('admin', 'viewer'), { role: 'admin', owners })).toBe(expected);
    expect(judge({ kind: 'deployment' }, { role: 'admin', owners })).toBe('allowed');
  });
});

describe('projectsWith', () => {
  it('are those where the role is at least the one asked for', () => {
    expect(projectsWith(scopeOf('operator', 'viewer'), 'operator')).toEqual([SHOP]);
    expect(projectsWith(scopeOf('operator', 'viewer'), 'admin')).toEqual([]);
    expect(projectsWith({ kind: 'deployment' }, 'admin')).toBe('all');
  });
});
