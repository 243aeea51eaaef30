import { ApiKeyScope, ProjectId, SluiceError } from '@sluice/contracts';
import { type MetadataDatabase } from '@sluice/metadata';
import { type Request } from 'express';
import { z } from 'zod';
import { parseId } from '../api/parse-id.js';
import { notFound } from './granted.js';
import { type Owners, roleIn } from './judge.js';
import { type Requirement } from './requires.js';

export interface Subject {
  readonly owners: Owners;
  /** What the caller is told when it must not know it. */
  readonly missing: SluiceError;
}

type ObjectRequirement = Exclude<Requirement, { of: 'nobody' | 'any-project' | 'deployment' }>;

const NewKey = z.looseObject({ scope: ApiKeyScope });
const Named = z.looseObject({ projectId: ProjectId.optional() });

/**
 * What the request is about, and to whom that belongs.
 * @throws SluiceError 6002 when there is no such object: the same error as for one that the key does not see.
 */
export async function findSubject(
  requirement: ObjectRequirement,
  request: Request,
  { metadata, scope }: { readonly metadata: MetadataDatabase; readonly scope: ApiKeyScope },
): Promise<Subject> {
  if (requirement.of === 'named-project') {
    const { projectId } = Named.parse(request[requirement.in] ?? {});
    return existingProject(metadata, projectId ?? (await unnamedProject(metadata, scope)));
  }
  if (requirement.of === 'new-key') return ownersOfNewKey(request.body);
  const id = parseId(String(request.params['id']), requirement.of);
  if (requirement.of === 'project') return existingProject(metadata, id);
  const missing = notFound(requirement.of, id);
  const owners = await findOwners(metadata, requirement.of, id);
  if (owners === null) throw missing;
  return { owners, missing };
}

async function findOwners(metadata: MetadataDatabase, kind: 'task' | 'api-key', id: string): Promise<Owners | null> {
  if (kind === 'api-key') {
    const key = await metadata.apiKeys.find(id);
    return key && ownersOfScope(key.scope);
  }
  const project = await metadata.tasks.projectOf(id);
  return project === null ? null : [project];
}

/** A new key must not reach further than the one that creates it. */
function ownersOfNewKey(body: unknown): Subject {
  const owners = ownersOfScope(NewKey.parse(body ?? {}).scope);
  const missing =
    owners === 'deployment'
      ? new SluiceError('SLUICE-6012', { detail: 'this needs a deployment-wide key' })
      : new SluiceError('SLUICE-6002', { detail: 'a project of the scope' });
  return { owners, missing };
}

function ownersOfScope(scope: ApiKeyScope): Owners {
  return scope.kind === 'deployment' ? 'deployment' : scope.projects.map(({ projectId }) => projectId);
}

async function existingProject(metadata: MetadataDatabase, id: ProjectId): Promise<Subject> {
  const missing = notFound('project', id);
  if (!(await metadata.projects.find(id))) throw missing;
  return { owners: [id], missing };
}

/** A key of one project means that one; others the default project, which must not be a guess. */
async function unnamedProject(metadata: MetadataDatabase, scope: ApiKeyScope): Promise<ProjectId> {
  const [only, ...others] = scope.kind === 'projects' ? scope.projects : [];
  if (only && others.length === 0) return only.projectId;
  const { id } = await metadata.projects.findDefault();
  if (scope.kind === 'deployment' || roleIn(scope, id) !== null) return id;
  throw new SluiceError('SLUICE-6001', {
    detail: 'projectId: required, as this key has several projects and does not see the default one',
  });
}
