import 'reflect-metadata';
import { type DynamicModule, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { assert, Secret } from '@sluice/kernel';
import { type Bus, connectBus, JetStreamStrategy, serveCredentials } from '@sluice/messaging';
import { MetadataDatabase } from '@sluice/metadata';
import { BUS, LOGGER } from '@sluice/service-runtime';
import { createLogger } from '@sluice/telemetry';
import { z } from 'zod';
import { type Rate } from './access/rate-limit.js';
import { configureHttp } from './api/configure-http.js';
import { TaskManagementModule } from './task-management.module.js';

export const ADMIN_KEY = 'admin-key-of-the-rest-tests';
export const BUS_KEY = new Secret(Buffer.alloc(32, 7).toString('base64'));

/** So that a test sees what a heartbeat brings. */
const HEARTBEAT_MS = 100;
/** What no test reaches that is not about it. */
const UNHURRIED: Rate = { perSecond: 100_000, burst: 100_000 };

export interface TestService extends AsyncDisposable {
  readonly url: string;
  readonly bus: Bus;
  readonly metadata: MetadataDatabase;
  /** What Express really routes, as `GET /api/v1/tasks/:id`. */
  readonly routes: readonly string[];
}

/** The service as `runService` puts it together, inside a test's own process. */
export async function startTestService(options: {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly rate?: Rate;
}): Promise<TestService> {
  const log = createLogger({ service: 'task-management', level: 'silent' });
  const bus = await connectBus({ servers: options.natsUrl, name: 'task-management-test', log });
  await bus.ensureTopology();
  const metadata = await MetadataDatabase.open({
    url: new Secret(options.databaseUrl),
    masterKey: new Secret('master key of the REST tests, long enough'),
  });
  await metadata.apiKeys.ensureAdmin(new Secret(ADMIN_KEY));
  const credentials = serveCredentials(bus, { busKey: BUS_KEY, lookup: (taskId) => metadata.vault.lookup(taskId) });

  const app = await NestFactory.create(
    rootModule({ bus, log, metadata, rate: options.rate ?? UNHURRIED, heartbeatMs: HEARTBEAT_MS }),
    {
      logger: false,
      abortOnError: false,
    },
  );
  configureHttp(app, log);
  const strategy = new JetStreamStrategy(bus);
  app.connectMicroservice({ strategy });
  await app.init();
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const address: unknown = app.getHttpServer().address();
  assert(typeof address === 'object' && address !== null && 'port' in address, 'listens on TCP');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    bus,
    metadata,
    routes: routesOf(app),
    [Symbol.asyncDispose]: async () => {
      app.getHttpServer().closeAllConnections();
      await strategy.close();
      await app.close();
      credentials[Symbol.dispose]();
      await metadata[Symbol.asyncDispose]();
      await bus.close();
    },
  };
}

const Layers = z.array(
  z.looseObject({
    route: z.looseObject({ path: z.string(), methods: z.record(z.string(), z.boolean()) }).optional(),
  }),
);

function routesOf(app: INestApplication): readonly string[] {
  const express: { readonly router: { readonly stack: unknown } } = app.getHttpAdapter().getInstance();
  return Layers.parse(express.router.stack).flatMap(({ route }) =>
    Object.keys(route?.methods ?? {}).map((method) => `${method.toUpperCase()} ${route?.path ?? ''}`),
  );
}

function rootModule(parts: {
  readonly bus: Bus;
  readonly log: unknown;
  readonly metadata: MetadataDatabase;
  readonly rate: Rate;
  readonly heartbeatMs: number;
}): DynamicModule {
  @Module({})
  class Runtime {}
  @Module({})
  class Root {}
  const providers = [
    { provide: BUS, useValue: parts.bus },
    { provide: LOGGER, useValue: parts.log },
  ];
  const runtime = { module: Runtime, global: true, providers, exports: [BUS, LOGGER] };
  return { module: Root, imports: [runtime, TaskManagementModule.with(parts)] };
}
