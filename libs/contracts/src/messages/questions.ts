import { z } from 'zod';
import { ErrorReport, TaskId } from '../primitives.js';
import { type Subject } from './subject.js';

/** A question as it travels; `asked` fits the schema of that name. */
export interface QuestionMessage {
  readonly version: 1;
  readonly taskId: TaskId;
  readonly asked: unknown;
}

/**
 * A question about the databases of a task, to a worker that may open them. It is answered at once and changes nothing;
 * what has to survive a crash is a stage run.
 */
export interface Question<Asked extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> extends Subject<
  Record<string, never>,
  z.ZodType<QuestionMessage>
> {
  readonly asked: Asked;
  readonly answer: Answer;
  /** Time until the worker gives up, and the one who asks with it. */
  readonly deadlineMs: number;
  /** The service that answers. */
  readonly answeredBy: string;
}

/** @param spec its `name` is the token of the subject, e.g. `source-roles`. */
export function defineQuestion<Asked extends z.ZodType, Answer extends z.ZodType>({
  name,
  ...spec
}: Pick<Question<Asked, Answer>, 'asked' | 'answer' | 'deadlineMs' | 'answeredBy'> & {
  readonly name: string;
}): Question<Asked, Answer> {
  const subject = `sluice.v1.question.${name}`;
  const asked: z.ZodType = spec.asked;
  return {
    ...spec,
    pattern: subject,
    format: () => subject,
    payload: z.object({ version: z.literal(1), taskId: TaskId, asked }),
  };
}

/** How every question is answered; `answer` fits the question's own schema. */
export const QuestionReply = z.discriminatedUnion('ok', [
  z.object({ version: z.literal(1), ok: z.literal(true), answer: z.unknown() }),
  z.object({ version: z.literal(1), ok: z.literal(false), error: ErrorReport }),
]);
export type QuestionReply = z.infer<typeof QuestionReply>;

/** What fits in a message of nats-server as it is configured out of the box (1 MiB), with room for headers. */
export const ANSWER_BYTES_MAX = 1_000_000;
