import 'reflect-metadata';
import { type DynamicModule, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { delay, isAbort } from '@sluice/kernel';
import { type Bus, connectBus, JetStreamStrategy, type JetStreamStrategyOptions } from '@sluice/messaging';
import { createLogger, flushSpans, type Logger } from '@sluice/telemetry';
import { type z } from 'zod';
import { HealthServer } from './health-server.js';
import { type BaseConfig, loadConfig, workerName } from './load-config.js';
import { NestLogger } from './nest-logger.js';
import { type RuntimeContext } from './runtime-context.js';
import { RuntimeModule } from './runtime-module.js';

export interface ServiceOptions<Schema extends z.ZodType<BaseConfig>> {
  readonly name: string;
  readonly config: Schema;
  /** The app's module; wiring only. */
  readonly module: (context: RuntimeContext<z.output<Schema>>) => Type | DynamicModule | Promise<Type | DynamicModule>;
  /** Runs of each stage that this process works on at the same time. */
  readonly concurrency?: (config: z.output<Schema>) => NonNullable<JetStreamStrategyOptions['concurrency']>;
  /** Sets up the HTTP side before the routes are made (prefix, filters, documents). */
  readonly configure?: (app: INestApplication, context: RuntimeContext<z.output<Schema>>) => void | Promise<void>;
}

/** I10: whatever is not done then is redelivered; the supervisor's own patience usually is 10 s. */
const SHUTDOWN_DEADLINE_MS = 9_500;
const TOPOLOGY_RETRY_MS = 500;
/** A collector that is gone must not use up the shutdown's time. */
const FLUSH_TIMEOUT_MS = 1_000;

/** Runs a service until SIGTERM or SIGINT, then ends the process. The only place that decides about the process's life. */
export async function runService<Schema extends z.ZodType<BaseConfig>>(options: ServiceOptions<Schema>): Promise<void> {
  const startLog = createLogger({ service: options.name });
  const fatal = (log: Logger, message: string) => (error: unknown) => {
    log.fatal({ err: error }, message);
    process.exit(1);
  };
  process.on('unhandledRejection', fatal(startLog, 'unhandled rejection'));
  process.on('uncaughtException', fatal(startLog, 'uncaught exception'));
  const stop = stopSignal();
  try {
    await serve(options, stop);
  } catch (error) {
    if (!stop.aborted || !isAbort(error)) fatal(startLog, 'the service could not run')(error);
  }
  process.exit(0);
}

/** Aborted at the first SIGTERM or SIGINT. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => controller.abort(new DOMException('the process was asked to stop', 'AbortError'));
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return controller.signal;
}

async function serve<Schema extends z.ZodType<BaseConfig>>(
  options: ServiceOptions<Schema>,
  signal: AbortSignal,
): Promise<void> {
  const config = loadConfig(options.config);
  const worker = workerName(options.name, config);
  const log = createLogger({ service: options.name, level: config.SLUICE_LOG_LEVEL }).child({ worker });
  const health = await HealthServer.listen({ host: config.SLUICE_HTTP_HOST, port: config.SLUICE_HTTP_PORT });
  let bus: Bus | null = null;
  health.addCheck('nats', () => ({ ready: bus?.isConnected === true && bus.status.topologyReady }));
  health.addGauges(() => [
    {
      name: 'sluice_bus_connected',
      help: '1 while the process is connected to the message bus.',
      samples: [{ labels: { service: options.name }, value: bus?.isConnected === true ? 1 : 0 }],
    },
  ]);
  const closers: (() => Promise<void>)[] = [
    () => health.close(),
    () => Promise.race([flushSpans(), delay(FLUSH_TIMEOUT_MS)]),
  ];
  endAfterDeadline(signal, log);
  try {
    bus = await connectBus({
      servers: config.SLUICE_NATS_URL,
      name: worker,
      log,
      signal,
      replicas: config.SLUICE_BUS_REPLICAS,
      ...(config.SLUICE_NATS_TOKEN && { token: config.SLUICE_NATS_TOKEN }),
    });
    closers.push(() => bus?.close() ?? Promise.resolve());
    await ensureTopology(bus, signal);
    const context: RuntimeContext<z.output<Schema>> = {
      service: options.name,
      worker,
      config,
      log,
      bus,
      signal,
      addHealthCheck: (name, check) => health.addCheck(name, check),
      addGauges: (gauges) => health.addGauges(gauges),
      onShutdown: (close) => closers.push(close),
    };
    const strategy = new JetStreamStrategy(bus, { concurrency: options.concurrency?.(config) ?? {} });
    const app = await createApplication(options, context, strategy);
    closers.push(
      () => app.close(),
      // First of all: while runs end they need everything that the modules hold.
      () => strategy.close(),
    );
    health.forwardTo(app.getHttpAdapter().getInstance());
    log.info({ port: health.port, host: config.SLUICE_HTTP_HOST }, `${options.name} is ready`);
    await untilAborted(signal);
    log.info('stopping');
  } finally {
    await closeAll(closers, log);
  }
  log.info('stopped');
}

async function createApplication<Schema extends z.ZodType<BaseConfig>>(
  options: ServiceOptions<Schema>,
  context: RuntimeContext<z.output<Schema>>,
  strategy: JetStreamStrategy,
): Promise<INestApplication> {
  @Module({})
  class RootModule {}
  const appModule = await options.module(context);
  const root: DynamicModule = { module: RootModule, imports: [RuntimeModule.provide(context), appModule] };
  const app = await NestFactory.create(root, { logger: new NestLogger(context.log), abortOnError: false });
  await options.configure?.(app, context);
  app.connectMicroservice({ strategy });
  await app.init();
  await app.startAllMicroservices();
  return app;
}

async function ensureTopology(bus: Bus, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await bus.ensureTopology();
      return;
    } catch (error) {
      bus.log.warn({ err: error }, 'message bus not usable yet');
      await delay(TOPOLOGY_RETRY_MS, signal);
    }
  }
}

/** The last opened first, so that nothing is closed that something else still uses. */
async function closeAll(closers: readonly (() => Promise<void>)[], log: Logger): Promise<void> {
  for (const close of closers.toReversed()) {
    await close().catch((error: unknown) => log.warn({ err: error }, 'error while stopping'));
  }
}

function endAfterDeadline(signal: AbortSignal, log: Logger): void {
  signal.addEventListener('abort', () => {
    setTimeout(() => {
      log.error('not everything ended in time; what is left is handed out again');
      process.exit(0);
    }, SHUTDOWN_DEADLINE_MS).unref();
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
