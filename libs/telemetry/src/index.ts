export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.js';
export {
  currentTraceId,
  extractContext,
  flushSpans,
  type HeaderCarrier,
  injectContext,
  linkFrom,
  type SpanOptions,
  tracer,
  withSpan,
} from './tracing.js';
