import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type ProjectId, SluiceError } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { type ApiKey, type InProjects, type Origin } from '@sluice/metadata';
import { type Request } from 'express';
import { currentOrigin } from '../current-origin.js';

/** What the guard found out about a request that it let through. */
export interface Grant {
  readonly key: ApiKey;
  /** Where the key has the role that the route requires. */
  readonly projects: InProjects;
  /** The one that the request is about, if it is about one. */
  readonly projectId: ProjectId | null;
}

export type GrantedTo = Grant & { readonly origin: Origin };

const grants = new WeakMap<Request, Grant>();

/** Called by the guard, before any controller. */
export function rememberGrant(request: Request, grant: Grant): void {
  grants.set(request, grant);
}

/** What the request may see and do, and who sent it. */
export const Granted = createParamDecorator((_: unknown, context: ExecutionContext): GrantedTo => {
  return { ...grantOf(context), origin: originOf(context) };
});

/** Who sent the request, from where, in which trace. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Origin => originOf(context));

/** The project that a route of a named project is about. */
export function grantedProject({ projectId }: Grant): ProjectId {
  return present(projectId, 'the project of the request');
}

/** A filter narrows what is seen; a project that is not seen holds nothing, like one that does not exist. */
export function narrow({ projects }: Grant, projectId: ProjectId | undefined): InProjects {
  if (projectId === undefined) return projects;
  return projects === 'all' || projects.includes(projectId) ? [projectId] : [];
}

export function notFound(kind: string, id: string): SluiceError {
  return new SluiceError('SLUICE-6002', { detail: `${kind} ${id}` });
}

function originOf(context: ExecutionContext): Origin {
  const { id, name } = grantOf(context).key;
  const { ip } = context.switchToHttp().getRequest<Request>();
  return currentOrigin({ actor: name, keyId: id, address: ip ?? null });
}

function grantOf(context: ExecutionContext): Grant {
  return present(grants.get(context.switchToHttp().getRequest<Request>()), 'the grant of a route that needs a key');
}
