import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SluiceError } from '@sluice/contracts';
import { assert, Secret } from '@sluice/kernel';
import { type ApiKey, MetadataDatabase } from '@sluice/metadata';
import { type Request, type Response } from 'express';
import { Audits } from './audits.js';
import { type Attempt, rememberAttempt } from './granted.js';
import { judge, projectsWith, roleIn } from './judge.js';
import { findSubject } from './owners.js';
import { RateLimit } from './rate-limit.js';
import { type Requirement, Requires } from './requires.js';

/**
 * The one place where access is decided, for every route of the application.
 *
 * Maintained invariant: it fails closed. A route that declares nothing, and whatever is no HTTP request, is refused.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly metadata: MetadataDatabase,
    private readonly rateLimit: RateLimit,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirement = this.reflector.get(Requires, context.getHandler());
    assert(requirement !== undefined && context.getType() === 'http', 'only declared routes are called');
    if (requirement.of === 'nobody') return true;
    const request = context.switchToHttp().getRequest<Request>();
    const key = await this.#authenticate(request);
    limitRate(this.rateLimit, key, context.switchToHttp().getResponse<Response>());
    const audited = this.reflector.get(Audits, context.getHandler());
    await this.#authorize(requirement, request, { ...NOTHING_KNOWN, ...roleOfAll(key), key, audited });
    return true;
  }

  async #authenticate({ headers }: Request): Promise<ApiKey> {
    const presented = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '')?.[1];
    if (presented === undefined) throw new SluiceError('SLUICE-6005', { detail: 'no API key was sent' });
    return this.metadata.apiKeys.verify(new Secret(presented));
  }

  async #authorize(
    requirement: Exclude<Requirement, { of: 'nobody' }>,
    request: Request,
    attempt: Attempt,
  ): Promise<void> {
    rememberAttempt(request, attempt);
    const { scope } = attempt.key;
    if (requirement.of === 'deployment') {
      if (scope.kind !== 'deployment') throw forbidden('a deployment-wide key');
      rememberAttempt(request, { ...attempt, projects: 'all' });
      return;
    }
    const { role } = requirement;
    const projects = projectsWith(scope, role);
    rememberAttempt(request, { ...attempt, projects });
    if (requirement.of === 'any-project') {
      if (projects.length === 0) throw forbidden(`role ${role} in a project`);
      return;
    }
    const { owners, name, missing } = await findSubject(requirement, request, { metadata: this.metadata, scope });
    const verdict = judge(scope, { role, owners });
    if (verdict === 'hidden') throw missing;
    const projectId = owners !== 'deployment' && owners.length === 1 ? (owners[0] ?? null) : null;
    const has = scope.kind === 'projects' && projectId !== null ? roleIn(scope, projectId) : attempt.role;
    rememberAttempt(request, { ...attempt, projects, projectId, name, role: has });
    if (verdict === 'forbidden') throw forbidden(`role ${role} in the project`);
  }
}

/** @throws SluiceError 6014 */
function limitRate(limit: RateLimit, { id, name }: ApiKey, response: Response): void {
  const { isAllowed, remaining, waitSeconds } = limit.take(id, Date.now());
  response.header({
    'ratelimit-limit': String(limit.rate.burst),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(waitSeconds),
  });
  if (isAllowed) return;
  response.header('retry-after', String(waitSeconds));
  throw new SluiceError('SLUICE-6014', { detail: `key ${name} is to wait ${waitSeconds} s` });
}

const NOTHING_KNOWN = { projects: [], projectId: null, name: null } as const;

function roleOfAll({ scope }: ApiKey): Pick<Attempt, 'role'> {
  return { role: scope.kind === 'deployment' ? 'deployment' : null };
}

function forbidden(needed: string): SluiceError {
  return new SluiceError('SLUICE-6012', { detail: `this needs ${needed}` });
}
