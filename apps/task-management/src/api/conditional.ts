import { type CallHandler, createParamDecorator, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { type TaskResource } from '@sluice/contracts';
import { type Origin } from '@sluice/metadata';
import { type Request, type Response } from 'express';
import { tap } from 'rxjs';
import { z } from 'zod';
import { attemptOf, originOf } from '../access/granted.js';
import { present } from '@sluice/kernel';

/** Who orders something, and on which revisions of the task it was decided; on any when that is absent. */
export interface ConditionalOrigin {
  readonly origin: Origin;
  readonly ifRevisions?: readonly number[] | undefined;
}

/** RFC 9110, 13.1.1. Tags of other forms, weak ones too, match nothing. */
const IfMatch = z
  .string()
  .max(1_000)
  .regex(/^\s*(\*|(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*)\s*$/, 'If-Match: * or tags in quotes');

export function parseIfMatch(header: string | undefined): readonly number[] | undefined {
  if (header === undefined || IfMatch.parse(header).trim() === '*') return undefined;
  return [...header.matchAll(/(?:^|[\s,])"(\d{1,9})"/g)].map(([, revision]) => Number(revision));
}

/** The caller with the condition of the header `If-Match`. */
export const ConditionalCaller = createParamDecorator((_: unknown, context: ExecutionContext): ConditionalOrigin => {
  const request = context.switchToHttp().getRequest<Request>();
  const attempt = present(attemptOf(request), 'the caller of a route that needs a key');
  return { origin: originOf(request, attempt), ifRevisions: parseIfMatch(request.headers['if-match']) };
});

/** Answers with the revision of the task as its `ETag`. */
export class TaskTag implements NestInterceptor<TaskResource, TaskResource> {
  intercept(
    context: ExecutionContext,
    next: CallHandler<TaskResource>,
  ): ReturnType<CallHandler<TaskResource>['handle']> {
    const http = context.switchToHttp();
    // Live numbers change without a revision: a task is always answered in full.
    delete http.getRequest<Request>().headers['if-none-match'];
    const response = http.getResponse<Response>();
    return next.handle().pipe(tap(({ revision }) => response.header('etag', `"${revision}"`)));
  }
}
