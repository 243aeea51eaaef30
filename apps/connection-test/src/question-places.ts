import { Inject, Injectable } from '@nestjs/common';
import { RUNTIME, type RuntimeContext } from '@sluice/service-runtime';
import { type ConnectionTestConfig } from './connection-test.config.js';

/** Bounds how many questions open sessions at the same time, as people can ask faster than servers answer. */
@Injectable()
export class QuestionPlaces {
  readonly #waiting = new Set<() => void>();
  #freeCount: number;

  constructor(@Inject(RUNTIME) { config }: RuntimeContext<ConnectionTestConfig>) {
    this.#freeCount = config.SLUICE_CONNECTION_TEST_CONCURRENCY;
  }

  /** @throws the signal's reason when it was aborted before there was a place. */
  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#freeCount > 0) {
      this.#freeCount -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (): void => {
      this.#waiting.delete(resolve);
      reject(signal.reason);
    };
    this.#waiting.add(resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise;
    signal.removeEventListener('abort', giveUp);
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#freeCount += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
