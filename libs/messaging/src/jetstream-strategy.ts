import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { type Stage } from '@sluice/contracts';
import { unreachable } from '@sluice/kernel';
import { isObservable, lastValueFrom } from 'rxjs';
import { type Bus } from './bus.js';
import { consumeEvents } from './events.js';
import { handlerSpec, type HandlerSpec } from './handler-decorators.js';
import { serveRequests } from './request-reply.js';
import { consumeRuns } from './runs.js';
import { subscribe } from './subscribe.js';

export interface JetStreamStrategyOptions {
  /** Runs of a stage that this process works on at the same time; 1 where nothing is said. */
  readonly concurrency?: Partial<Readonly<Record<Stage, number>>>;
}

/** Nest's transport for handlers declared with `OnRun`, `OnEvent`, `OnRequest` and `OnMessage`. The change path does not use it. */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  readonly #bus: Bus;
  readonly #options: JetStreamStrategyOptions;
  readonly #closing = new AbortController();
  readonly #loops: Promise<unknown>[] = [];

  constructor(bus: Bus, options: JetStreamStrategyOptions = {}) {
    super();
    this.#bus = bus;
    this.#options = options;
  }

  listen(callback: (error?: unknown) => void): void {
    try {
      for (const [pattern, handler] of this.getHandlers()) {
        const spec = handlerSpec(handler.extras);
        if (!spec)
          throw new TypeError(`handler of ${pattern} is not declared with OnRun, OnEvent, OnRequest or OnMessage`);
        this.#loops.push(this.#serve(spec, handler));
      }
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Takes no more work, gives runs back, and resolves when every handler has ended or ran out of its grace. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#loops);
  }

  on(): void {
    // The bus reports its own state; there is nothing to listen to here.
  }

  unwrap<T>(): T {
    throw new TypeError('the message bus is injected, not unwrapped');
  }

  #serve(spec: HandlerSpec, handler: MessageHandler): Promise<unknown> {
    const { signal } = this.#closing;
    const call = (payload: unknown, context?: unknown): Promise<unknown> => callHandler(handler, payload, context);
    switch (spec.kind) {
      case 'run':
        return consumeRuns(this.#bus, {
          stage: spec.stage,
          concurrency: this.#options.concurrency?.[spec.stage] ?? 1,
          handle: async (run, context) => void (await call(run, context)),
          signal,
        });
      case 'event':
        return consumeEvents(this.#bus, {
          subject: spec.subject,
          durableName: spec.durableName,
          handle: async (event, context) => void (await call(event, context)),
          signal,
        });
      case 'request':
        return serveRequests(this.#bus, spec.subject, { handle: call, signal }).closed;
      case 'message':
        return subscribe(this.#bus, spec.subject, { handle: async (message) => void (await call(message)), signal })
          .closed;
      default:
        return unreachable(spec);
    }
  }
}

async function callHandler(handler: MessageHandler, payload: unknown, context: unknown): Promise<unknown> {
  const result: unknown = await handler(payload, context);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
