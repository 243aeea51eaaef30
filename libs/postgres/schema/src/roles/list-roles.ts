import { type SourceRole, type SourceRoleList } from '@sluice/contracts';
import { attributeWords } from './create-roles.js';
import { findObstacles, type RoleCircumstances } from './judge-role.js';

export interface RolePage {
  readonly limit: number;
  /** Part of the name, in any case. */
  readonly search?: string | undefined;
  /** The last name of the page before. */
  readonly after?: string | undefined;
}

/** The roles of the source by name, each with what stands in its way. */
export function listRoles(
  circumstances: RoleCircumstances,
  { limit, search = '', after }: RolePage,
): { readonly roles: SourceRoleList['items']; readonly isLast: boolean } {
  const names = [...circumstances.roles.keys()];
  const start = after === undefined ? 0 : names.findIndex((name) => byBytes(name, after) > 0);
  const found = (start < 0 ? [] : names.slice(start)).filter((name) =>
    name.toLowerCase().includes(search.toLowerCase()),
  );
  return { roles: found.slice(0, limit).flatMap((name) => show(name, circumstances)), isLast: found.length <= limit };
}

/** The order that the server's collation "C" has. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function show(name: string, circumstances: RoleCircumstances): SourceRole[] {
  const role = circumstances.roles.get(name);
  if (!role) return [];
  const obstacles = findObstacles(role, circumstances);
  const memberOf = circumstances.memberships
    .filter(({ member }) => member === name)
    .map((membership) => membership.role);
  return [
    {
      name,
      canSync: obstacles.length === 0,
      obstacles,
      attributes: attributeWords(role),
      memberOf: [...new Set(memberOf)],
    },
  ];
}
