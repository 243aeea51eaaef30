/**
 * Loaded with `node --import @sluice/telemetry/register` before anything else, so that modules can be patched.
 * Does nothing, and loads nothing, unless one of OpenTelemetry's own variables asks for traces.
 */
import { env, argv } from 'node:process';
import { basename, dirname } from 'node:path';

// OpenTelemetry's variables are a standard of their own and are needed before any configuration is parsed.
const isWanted = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'].some(
  (name) => (env[name] ?? 'none') !== 'none' && env[name] !== '',
);

if (isWanted && env['OTEL_SDK_DISABLED'] !== 'true') {
  const { startTracing } = await import('./start-tracing.js');
  startTracing(env['OTEL_SERVICE_NAME'] ?? appNameOf(argv[1] ?? 'sluice'));
}

/** `…/apps/capture/dist/main.js` → `capture`. */
function appNameOf(entry: string): string {
  return basename(dirname(dirname(entry))) || 'sluice';
}
