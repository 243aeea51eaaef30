import { type ApiKeyScope, type ProjectId, type Role, ROLES } from '@sluice/contracts';
import { type InProjects } from '@sluice/metadata';

/** To whom an object belongs: to projects, or to the deployment as a whole. */
export type Owners = 'deployment' | readonly ProjectId[];

export type Verdict =
  | 'allowed'
  /** The key sees a project that owns it not at all, so that it must not learn that the object exists. */
  | 'hidden'
  /** The key sees it and its role is not enough. */
  | 'forbidden';

/** The one decision about access. What belongs to several projects needs the role in each of them. */
export function judge(scope: ApiKeyScope, { role, owners }: { readonly role: Role; readonly owners: Owners }): Verdict {
  if (scope.kind === 'deployment') return 'allowed';
  if (owners === 'deployment' || owners.length === 0) return 'hidden';
  const roles = owners.map((projectId) => roleIn(scope, projectId));
  if (roles.includes(null)) return 'hidden';
  return roles.every((has) => has !== null && reaches(has, role)) ? 'allowed' : 'forbidden';
}

/** Where a key has at least this role. */
export function projectsWith(scope: ApiKeyScope, role: Role): InProjects {
  if (scope.kind === 'deployment') return 'all';
  return scope.projects.filter((one) => reaches(one.role, role)).map(({ projectId }) => projectId);
}

export function roleIn(scope: Extract<ApiKeyScope, { kind: 'projects' }>, projectId: ProjectId): Role | null {
  return scope.projects.find((one) => one.projectId === projectId)?.role ?? null;
}

function reaches(has: Role, needed: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needed);
}
