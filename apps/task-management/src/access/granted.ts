import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type AuditEvent, type ProjectId, SluiceError } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { type ApiKey, type InProjects, type Origin } from '@sluice/metadata';
import { type Request } from 'express';
import { currentOrigin } from '../current-origin.js';
import { type Audited } from './audits.js';

/** What the guard found out about a request so far; a refusal is audited with it. */
export interface Attempt {
  readonly key: ApiKey;
  /** `undefined` for a route that changes nothing. */
  readonly audited: Audited | undefined;
  /** With which the key acts. */
  readonly role: AuditEvent['role'];
  /** Where the key has the role that the route requires. */
  readonly projects: InProjects;
  /** The one that the request is about, if it is about one that the key sees. */
  readonly projectId: ProjectId | null;
  /** Of the object that the request is about, likewise. */
  readonly name: string | null;
}

/** What a request may see and do that was let through, and who sent it. */
export type Grant = Attempt & { readonly origin: Origin };

const attempts = new WeakMap<Request, Attempt>();

/** Called by the guard, before any controller. */
export function rememberAttempt(request: Request, attempt: Attempt): void {
  attempts.set(request, attempt);
}

export function attemptOf(request: Request): Attempt | undefined {
  return attempts.get(request);
}

export const Granted = createParamDecorator((_: unknown, context: ExecutionContext): Grant => {
  const request = context.switchToHttp().getRequest<Request>();
  const attempt = present(attemptOf(request), 'the caller of a route that needs a key');
  return { ...attempt, origin: originOf(request, attempt) };
});

/** Who sent the request, from where, in which trace. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Origin => {
  const request = context.switchToHttp().getRequest<Request>();
  return originOf(request, present(attemptOf(request), 'the caller of a route that needs a key'));
});

export function originOf({ ip }: Request, { key, role }: Attempt): Origin {
  return currentOrigin({ actor: key.name, keyId: key.id, role, address: ip ?? null });
}

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
