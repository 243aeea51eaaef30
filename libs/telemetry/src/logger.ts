import { trace } from '@opentelemetry/api';
import { pino } from 'pino';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
export type Logger = pino.Logger;

export interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel;
  /** Where lines go; standard output when absent. */
  readonly destination?: pino.DestinationStream;
}

/** Deepest chain of causes that is written; a longer one is a loop or noise. */
const CAUSES_MAX = 4;

/**
 * JSON lines with the fixed fields `service, task_id, stage, table, lsn, trace_id, span_id, error.code`.
 * An error is logged as `{ err }`: of a server's error only what holds no row values is written (I9).
 */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: addErrorCode },
    serializers: { err: (error: unknown) => describeError(error) },
    mixin: () => traceFields(),
  };
  return destination ? pino(options, destination) : pino(options);
}

function traceFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span && trace.isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

function addErrorCode(fields: Record<string, unknown>): Record<string, unknown> {
  const code = codeOf(fields['err']);
  return code === null ? fields : { ...fields, 'error.code': code };
}

interface ErrorDescription {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

// `detail` and `where` of a PostgreSQL error quote rows, so properties are picked and never copied.
function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const code = codeOf(error);
  return {
    type: error.name,
    message: error.message,
    ...(code !== null && { code }),
    ...(depth === 0 && error.stack !== undefined && { stack: error.stack }),
    ...(error.cause !== undefined && depth < CAUSES_MAX && { cause: describeError(error.cause, depth + 1) }),
  };
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' || typeof error.code === 'number' ? String(error.code) : null;
}
