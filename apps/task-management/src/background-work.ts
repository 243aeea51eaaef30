import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { OutboxDispatcher } from './outbox-dispatcher.js';
import { RunReconciler } from './run-reconciler.js';

/** The loops that run beside requests and events, from start to shutdown. */
@Injectable()
export class BackgroundWork implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stop = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly outbox: OutboxDispatcher,
    private readonly reconciler: RunReconciler,
  ) {}

  onApplicationBootstrap(): void {
    const { signal } = this.#stop;
    this.#loops = Promise.all([this.outbox.run(signal), this.reconciler.run(signal)]);
  }

  /** What was committed last is handed to the bus by whoever polls the outbox next. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
  }
}
