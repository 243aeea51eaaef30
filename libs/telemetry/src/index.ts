export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.js';
export {
  carrierOf,
  currentTraceId,
  extractContext,
  flushSpans,
  type HeaderCarrier,
  injectContext,
  isTracing,
  linkFrom,
  linkToActive,
  NEW_TRACE,
  type SpanOptions,
  tracer,
  withSpan,
} from './tracing.js';
