import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { present } from '@sluice/kernel';
import { type ApiKey, type Origin } from '@sluice/metadata';
import { type Request } from 'express';
import { currentOrigin } from '../current-origin.js';

const callers = new WeakMap<Request, ApiKey>();

/** Called by the guard, before any controller. */
export function rememberCaller(request: Request, key: ApiKey): void {
  callers.set(request, key);
}

/** Who sent the request, from where, in which trace. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Origin => {
  const request = context.switchToHttp().getRequest<Request>();
  const { id, name } = present(callers.get(request), 'the caller of a guarded route');
  return currentOrigin({ actor: name, keyId: id, address: request.ip ?? null });
});
