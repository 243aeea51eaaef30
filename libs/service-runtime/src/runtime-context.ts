import { type Bus } from '@sluice/messaging';
import { type Logger } from '@sluice/telemetry';
import { type HealthCheck } from './health-server.js';
import { type GaugeSource } from './metrics.js';

/** What the runtime gives to a service. */
export interface RuntimeContext<Config> {
  readonly service: string;
  /** Name of this process in events and logs, e.g. `capture-1f3a`. */
  readonly worker: string;
  readonly config: Config;
  readonly log: Logger;
  readonly bus: Bus;
  /** Aborted when the process was asked to stop. */
  readonly signal: AbortSignal;
  /** Adds something that must be ready before this service is. */
  addHealthCheck(name: string, check: HealthCheck): void;
  /** Adds numbers to `/metrics`. */
  addGauges(gauges: GaugeSource): void;
  /** Called at the end of the shutdown, while the bus is still open; the last added first. */
  onShutdown(close: () => Promise<void>): void;
}
