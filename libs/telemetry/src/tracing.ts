import {
  type Attributes,
  context,
  type Context,
  type Link,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';

/** Headers of any transport: enough to carry `traceparent` and `tracestate`. */
export interface HeaderCarrier {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  keys(): string[];
}

/** Plain headers as a carrier. */
export function carrierOf(headers: Record<string, string>): HeaderCarrier {
  return {
    get: (name) => headers[name],
    set: (name, value) => {
      headers[name] = value;
    },
    keys: () => Object.keys(headers),
  };
}

export interface SpanOptions {
  readonly attributes?: Attributes;
  /** Parent of the span; the active context when absent. */
  readonly parent?: Context;
  readonly links?: Link[];
}

export function tracer(name: string): Tracer {
  return trace.getTracer(name);
}

/** Runs `work` inside a span; an error is recorded by its name and code, without its message (I9), and rethrown. */
export function withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { attributes = {}, parent = context.active(), links = [] } = options;
  return tracer('sluice').startActiveSpan(name, { attributes, links }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: errorLabel(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** False while nothing collects spans: whoever would make many of them can leave it. */
export function isTracing(): boolean {
  // The SDK sets a propagator, and without it there is none.
  return propagation.fields().length > 0;
}

/** A link to the span that is active here, for work that begins a trace of its own (`parent: NEW_TRACE`). */
export function linkToActive(): Link[] {
  const span = trace.getActiveSpan()?.spanContext();
  return span && trace.isSpanContextValid(span) ? [{ context: span }] : [];
}

export const NEW_TRACE: Context = ROOT_CONTEXT;

export function currentTraceId(): string | null {
  const span = trace.getActiveSpan()?.spanContext();
  return span && trace.isSpanContextValid(span) ? span.traceId : null;
}

/** Writes the active trace context as W3C headers. */
export function injectContext(headers: HeaderCarrier): void {
  propagation.inject(context.active(), headers, { set: (carrier, key, value) => carrier.set(key, value) });
}

/** The trace context that the headers carry. */
export function extractContext(headers: HeaderCarrier): Context {
  return propagation.extract(ROOT_CONTEXT, headers, {
    get: (carrier, key) => carrier.get(key),
    keys: (carrier) => carrier.keys(),
  });
}

/** A link to the span that the headers carry; none when they carry none. For work that is caused by, but no part of, that trace. */
export function linkFrom(headers: HeaderCarrier): Link[] {
  const span = trace.getSpanContext(extractContext(headers));
  return span ? [{ context: span }] : [];
}

/** Sends the spans that have ended and wait to be exported; does nothing when tracing is off. */
export async function flushSpans(): Promise<void> {
  const provider = trace.getTracerProvider();
  const delegate = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  if ('forceFlush' in delegate && typeof delegate.forceFlush === 'function') await delegate.forceFlush();
}

function errorLabel(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? `${error.name} ${error.code}` : error.name;
}
