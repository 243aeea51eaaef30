export { type DependencyState, type HealthCheck } from './health-server.js';
export { type Gauge, type GaugeSource } from './metrics.js';
export { killPoint } from './kill-point.js';
export { BaseConfig, ConfigError, loadConfig, SecretText, workerName } from './load-config.js';
export { runService, type ServiceOptions } from './run-service.js';
export { type RuntimeContext } from './runtime-context.js';
export {
  runWithRecovery,
  type RunWithRecoveryOptions,
  type WorkAttempt,
  type WorkOutcome,
} from './run-with-recovery.js';
export { SECURITY_HEADERS } from './security-headers.js';
export { errorReport, type StageReporter, stageReporter, type StageReporterOptions } from './stage-reporter.js';
export { BUS, CONFIG, LOGGER, RUNTIME } from './tokens.js';
export { type DesiredWatch, watchDesired } from './watch-desired.js';
