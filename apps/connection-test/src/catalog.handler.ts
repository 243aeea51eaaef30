import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type CatalogReply, type CatalogRequest, catalogRequests, SluiceError } from '@sluice/contracts';
import { OnRequest, requestEndpoints } from '@sluice/messaging';
import { toEndpoint } from '@sluice/postgres-client';
import { errorReport, RUNTIME, type RuntimeContext } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';
import { lookAtSource } from './look-at-source.js';

/** Answers what task management asks about sources, which it does not connect to. */
@Controller()
export class CatalogHandler {
  readonly #runtime: RuntimeContext<ConnectionTestConfig>;

  constructor(@Inject(RUNTIME) runtime: RuntimeContext<ConnectionTestConfig>) {
    this.#runtime = runtime;
  }

  @OnRequest(catalogRequests)
  async answer(@Payload() request: CatalogRequest): Promise<CatalogReply> {
    const { bus, config, service, log } = this.#runtime;
    try {
      const { source } = await requestEndpoints(bus, request.taskId, { service, busKey: config.SLUICE_BUS_KEY });
      return { version: 1, ok: true, answer: await lookAtSource(toEndpoint(source), request) };
    } catch (error) {
      log.warn({ err: error, task_id: request.taskId }, 'the catalogue of a source could not be read');
      const known = error instanceof SluiceError ? error : new SluiceError('SLUICE-9001', { detail: 'see the log' });
      return { version: 1, ok: false, error: errorReport(known) };
    }
  }
}
