import { errors } from '@nats-io/nats-core';
import {
  ANSWER_BYTES_MAX,
  type Question,
  type QuestionMessage,
  QuestionReply,
  SluiceError,
  type TaskId,
} from '@sluice/contracts';
import { type z } from 'zod';
import { type Bus } from './bus.js';
import { invalidMessage } from './bus-error.js';
import { request } from './request-reply.js';

/** The worker gives up at the deadline and says so; its word needs time to come here. */
const REPLY_GRACE_MS = 1_000;

/**
 * Asks a worker about the databases of a task.
 * @throws SluiceError what the worker answered with; 7003 when there was no answer; 7001 when there is no bus.
 */
export async function ask<Asked extends z.ZodType, Answer extends z.ZodType>(
  bus: Bus,
  question: Question<Asked, Answer>,
  { taskId, asked }: { readonly taskId: TaskId; readonly asked: z.input<Asked> },
): Promise<z.output<Answer>> {
  const reply = await request(bus, question, {
    params: {},
    payload: { version: 1, taskId, asked },
    reply: QuestionReply,
    timeoutMs: question.deadlineMs + REPLY_GRACE_MS,
  }).catch((error: unknown) => {
    throw isSilence(error) ? unanswered(question, error) : error;
  });
  if (!reply.ok) throw SluiceError.fromReport(reply.error);
  const answered = question.answer.safeParse(reply.answer);
  if (!answered.success) throw invalidMessage(question.pattern, 'the answer does not fit its schema');
  return answered.data;
}

export interface AnswerOptions<Asked extends z.ZodType, Answer extends z.ZodType> {
  readonly message: QuestionMessage;
  /** `signal` is aborted at the deadline. */
  readonly work: (asked: z.output<Asked>, signal: AbortSignal) => Promise<z.input<Answer>>;
  readonly log: Bus['log'];
}

/** What the handler of `@OnRequest(question)` returns: the answer, or why there is none. Never rejects. */
export async function answer<Asked extends z.ZodType, Answer extends z.ZodType>(
  question: Question<Asked, Answer>,
  { message, work, log }: AnswerOptions<Asked, Answer>,
): Promise<QuestionReply> {
  const ending = new AbortController();
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = unanswered(question);
    reject(error);
    ending.abort(error);
  }, question.deadlineMs);
  try {
    const working = work(question.asked.parse(message.asked), ending.signal);
    // When the deadline has won, nobody else looks at how the work ends.
    working.catch(() => undefined);
    const reply: QuestionReply = { version: 1, ok: true, answer: await Promise.race([working, expired]) };
    requireFit(question, reply);
    return reply;
  } catch (error) {
    log.warn({ err: error, task_id: message.taskId, subject: question.pattern }, 'question could not be answered');
    return { version: 1, ok: false, error: asSluiceError(error).toReport() };
  } finally {
    clearTimeout(timer);
  }
}

function requireFit({ pattern }: Question, reply: QuestionReply): void {
  const bytes = Buffer.byteLength(JSON.stringify(reply));
  if (bytes > ANSWER_BYTES_MAX) throw new SluiceError('SLUICE-7004', { detail: `${pattern}: ${bytes} bytes` });
}

/** Nobody listens, or nobody answered in time; the bus itself works. */
function isSilence(error: unknown): boolean {
  return hasCause(error, errors.NoRespondersError) || hasCause(error, errors.TimeoutError);
}

function hasCause(error: unknown, kind: typeof errors.NoRespondersError | typeof errors.TimeoutError): boolean {
  return error instanceof Error && (error instanceof kind || hasCause(error.cause, kind));
}

function unanswered({ pattern, answeredBy, deadlineMs }: Question, cause?: unknown): SluiceError {
  const why = hasCause(cause, errors.NoRespondersError) ? 'no process of it listens' : `not within ${deadlineMs} ms`;
  return new SluiceError('SLUICE-7003', { detail: `${pattern}, which ${answeredBy} answers: ${why}`, cause });
}

/** The text of what is not catalogued stays in the log. */
function asSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const detail = error instanceof Error ? error.name : 'unknown error';
  return new SluiceError('SLUICE-9001', { detail, cause: error });
}
