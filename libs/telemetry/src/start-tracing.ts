import { register } from 'node:module';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

/** Starts the SDK: http and pg spans, OTLP export. Whoever ends the process calls `flushSpans` before. */
export function startTracing(serviceName: string): void {
  // ES modules can be patched only by a loader hook, and it must be there before the SDK loads its instrumentations.
  register('import-in-the-middle/hook.mjs', import.meta.url);
  const sdk = new NodeSDK({
    resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: serviceName }),
    // Detectors would send the process's arguments and its owner, too (I9).
    autoDetectResources: false,
    traceExporter: new OTLPTraceExporter(),
    instrumentations: [
      new HttpInstrumentation({ ignoreIncomingRequestHook: (request) => request.url?.startsWith('/health') ?? false }),
      // Parameters are row values, which must not appear in a trace (I9).
      new PgInstrumentation({ enhancedDatabaseReporting: false, requireParentSpan: true }),
    ],
  });
  sdk.start();
  process.once('beforeExit', () => void sdk.shutdown().catch(() => undefined));
}
