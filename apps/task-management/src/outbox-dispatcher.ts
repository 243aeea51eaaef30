import { Inject, Injectable } from '@nestjs/common';
import { taskEvents } from '@sluice/contracts';
import { backoffDelayMs, delay, unreachable } from '@sluice/kernel';
import { Bus, changeStreams, desiredStates, publish, publishRun } from '@sluice/messaging';
import { MetadataDatabase, type OutboxItem } from '@sluice/metadata';
import { extractContext, type Logger, withSpan } from '@sluice/telemetry';
import { storedCarrier } from './current-origin.js';
import { BUS, LOGGER } from '@sluice/service-runtime';

/** A replica learns of its own messages at once; this finds those that a replica left behind when it died. */
const POLL_INTERVAL_MS = 1_000;
const FAILURE_BACKOFF = { baseMs: 250, capMs: 10_000 };

/** Hands what decisions left in the outbox to the bus, from every replica at once. */
@Injectable()
export class OutboxDispatcher {
  #wake: () => void = () => undefined;
  #isKicked = false;

  constructor(
    private readonly metadata: MetadataDatabase,
    @Inject(BUS) private readonly bus: Bus,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Something was committed. */
  kick(): void {
    this.#isKicked = true;
    this.#wake();
  }

  /** Dispatches until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      this.#isKicked = false;
      const outcome = await this.#dispatch();
      if (outcome.error === undefined) failures = 0;
      else {
        this.log[failures < 3 ? 'info' : 'warn']({ err: outcome.error }, 'outbox waits for database or bus');
        failures += 1;
        await delay(backoffDelayMs(failures - 1, FAILURE_BACKOFF), signal).catch(() => undefined);
      }
      if (outcome.sent === 0 && !this.#isKicked) await this.#pause(signal);
    }
  }

  async #dispatch(): Promise<{ readonly sent: number; readonly error: unknown }> {
    try {
      return await this.metadata.outbox.dispatch((item) => this.#publishTraced(item));
    } catch (error) {
      return { sent: 0, error };
    }
  }

  /** In the trace of the call that caused it, so that the run's span becomes a child of that call's. */
  #publishTraced(item: OutboxItem): Promise<void> {
    const parent = extractContext(storedCarrier(item.trace));
    const attributes = { 'task.id': item.taskId };
    return withSpan(`publish ${item.message.kind}`, { parent, attributes }, () => this.#publish(item));
  }

  async #publish({ taskId, message }: OutboxItem): Promise<void> {
    switch (message.kind) {
      case 'run':
        return publishRun(this.bus, message.run);
      case 'desire':
        return desiredStates(this.bus).put(taskId, message.desired);
      case 'task-event': {
        const { event } = message;
        return publish(this.bus, taskEvents, {
          params: { taskId },
          payload: event,
          durable: true,
          msgId: event.eventId,
        });
      }
      case 'delete-changes':
        return changeStreams(this.bus).delete(taskId);
      case 'forget':
        await changeStreams(this.bus).delete(taskId);
        return desiredStates(this.bus).delete(taskId);
      default:
        return unreachable(message);
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const kicked = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const timer = new AbortController();
    const either = AbortSignal.any([signal, timer.signal]);
    await Promise.race([kicked, delay(POLL_INTERVAL_MS, either).catch(() => undefined)]);
    timer.abort();
  }
}
