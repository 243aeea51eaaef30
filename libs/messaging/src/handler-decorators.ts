import { applyDecorators, UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { type Stage, type Subject } from '@sluice/contracts';
import { type z } from 'zod';
import { RethrowFilter } from './rethrow-filter.js';

/** What a handler's decorator tells the transport. */
export type HandlerSpec =
  | { readonly kind: 'run'; readonly stage: Stage }
  | { readonly kind: 'event'; readonly subject: AnySubject; readonly durableName: string }
  | { readonly kind: 'request'; readonly subject: AnySubject }
  | { readonly kind: 'message'; readonly subject: AnySubject };

/** Params are needed to form a subject only; a handler listens to the pattern. */
type AnySubject = Subject<never, z.ZodType>;

const SPEC = 'sluice';

/** Works on the runs of a stage: `handle(@Payload() run: StageRunOf<S>, @Ctx() context: RunContext): Promise<void>`. */
export function OnRun(stage: Stage): MethodDecorator {
  return declare(`run:${stage}`, { kind: 'run', stage });
}

/** Durable consumer of events: `handle(@Payload() event, @Ctx() context: EventContext): Promise<void>`; comes again when it rejects. */
export function OnEvent(subject: AnySubject, durableName: string): MethodDecorator {
  return declare(`event:${subject.pattern}`, { kind: 'event', subject, durableName });
}

/** Answers requests with what the handler returns: `handle(@Payload() request): Promise<Reply>`. */
export function OnRequest(subject: AnySubject): MethodDecorator {
  return declare(`request:${subject.pattern}`, { kind: 'request', subject });
}

/** Gets messages that are published now; every process gets each: `handle(@Payload() message): Promise<void>`. */
export function OnMessage(subject: AnySubject): MethodDecorator {
  return declare(`message:${subject.pattern}`, { kind: 'message', subject });
}

/** The spec that a decorator left in the handler's extras. */
export function handlerSpec(extras: Readonly<Record<string, unknown>> | undefined): HandlerSpec | null {
  const spec = extras?.[SPEC];
  return isHandlerSpec(spec) ? spec : null;
}

function isHandlerSpec(value: unknown): value is HandlerSpec {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

// Nest's event patterns run several handlers and lose their errors; all of these are single and must reject to be repeated.
function declare(pattern: string, spec: HandlerSpec): MethodDecorator {
  return applyDecorators(MessagePattern(pattern, { [SPEC]: spec }), UseFilters(new RethrowFilter()));
}
