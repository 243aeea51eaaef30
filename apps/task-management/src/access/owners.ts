import { ApiKeyScope, ProjectId, SluiceError } from '@sluice/contracts';
import { type MetadataDatabase, type Project } from '@sluice/metadata';
import { type Request } from 'express';
import { z } from 'zod';
import { parseId } from '../api/parse-id.js';
import { notFound } from './granted.js';
import { type Owners, roleIn } from './judge.js';
import { type Requirement } from './requires.js';

export interface Subject {
  readonly owners: Owners;
  readonly name: string | null;
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
    const { id, missing } = await existingProject(metadata, projectId ?? (await unnamedProject(metadata, scope)));
    return { owners: [id], name: null, missing };
  }
  if (requirement.of === 'new-key') return ownersOfNewKey(request.body);
  const id = parseId(String(request.params['id']), requirement.of);
  if (requirement.of === 'project') {
    const { name, missing } = await existingProject(metadata, id);
    return { owners: [id], name, missing };
  }
  const missing = notFound(requirement.of, id);
  const found = requirement.of === 'api-key' ? await findKey(metadata, id) : await findTask(metadata, id);
  if (!found) throw missing;
  return { ...found, missing };
}

type Found = Omit<Subject, 'missing'> | null;

async function findKey(metadata: MetadataDatabase, id: string): Promise<Found> {
  const key = await metadata.apiKeys.find(id);
  return key && { owners: ownersOfScope(key.scope), name: key.name };
}

async function findTask(metadata: MetadataDatabase, id: string): Promise<Found> {
  const place = await metadata.tasks.placeOf(id);
  return place && { owners: [place.projectId], name: place.name };
}

/** A new key must not reach further than the one that creates it. */
function ownersOfNewKey(body: unknown): Subject {
  const owners = ownersOfScope(NewKey.parse(body ?? {}).scope);
  const missing =
    owners === 'deployment'
      ? new SluiceError('SLUICE-6012', { detail: 'this needs a deployment-wide key' })
      : new SluiceError('SLUICE-6002', { detail: 'a project of the scope' });
  return { owners, name: null, missing };
}

function ownersOfScope(scope: ApiKeyScope): Owners {
  return scope.kind === 'deployment' ? 'deployment' : scope.projects.map(({ projectId }) => projectId);
}

async function existingProject(metadata: MetadataDatabase, id: ProjectId): Promise<Project & Pick<Subject, 'missing'>> {
  const missing = notFound('project', id);
  const project = await metadata.projects.find(id);
  if (!project) throw missing;
  return { ...project, missing };
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
