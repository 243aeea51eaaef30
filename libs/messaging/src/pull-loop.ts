import { createInbox, type Msg, nanos } from '@nats-io/nats-core';
import { backoffDelayMs, delay } from '@sluice/kernel';
import { type Logger } from '@sluice/telemetry';
import { type Bus } from './bus.js';

export interface PullLoopOptions {
  readonly stream: string;
  readonly consumer: string;
  /** Messages that are handled at the same time. */
  readonly slots: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Makes the consumer when it is not there. */
  readonly ensureConsumer: () => Promise<void>;
  /** Handles and answers one message; never rejects. */
  readonly onMessage: (message: Msg) => Promise<void>;
}

/** A pull request is renewed after this; a lost one costs at most this time. */
const PULL_EXPIRES_MS = 15_000;
const PULL_GRACE_MS = 1_000;
const RETRY_BACKOFF = { baseMs: 100, capMs: 2_000 };
const STATUS_NO_RESPONDERS = 503;
const STATUS_CONFLICT = 409;

/**
 * Pulls messages of a durable consumer, one per free slot, until the signal is aborted; survives restarts and loss of the bus.
 * A message is pulled only when somebody is free to handle it, so that none waits here while its ack wait runs out.
 */
export async function pullLoop(bus: Bus, options: PullLoopOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.slots }, () => runSlot(bus, options)));
}

async function runSlot(bus: Bus, options: PullLoopOptions): Promise<void> {
  const { signal, log } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const message = await pullOne(bus, options);
      failures = 0;
      if (message) await options.onMessage(message);
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ err: error, consumer: options.consumer }, 'pull failed');
      await options.ensureConsumer().catch(() => undefined);
      await delay(backoffDelayMs(failures, RETRY_BACKOFF), signal).catch(() => undefined);
      failures += 1;
    }
  }
}

/** The next message, or `null` when none came in time or the connection was renewed. */
async function pullOne(bus: Bus, { stream, consumer, signal }: PullLoopOptions): Promise<Msg | null> {
  const inbox = createInbox();
  const subscription = bus.connection.subscribe(inbox);
  const stop = (): void => subscription.unsubscribe();
  const timer = setTimeout(stop, PULL_EXPIRES_MS + PULL_GRACE_MS);
  // The server forgets a pull request with its connection.
  const forgetReconnect = bus.on('reconnect', stop);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const request = JSON.stringify({ batch: 1, expires: nanos(PULL_EXPIRES_MS) });
    bus.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, { reply: inbox });
    for await (const message of subscription) {
      const status = message.headers?.code ?? 0;
      if (status === 0) return message;
      if (status === STATUS_NO_RESPONDERS || status === STATUS_CONFLICT)
        throw new Error(`consumer ${consumer} of ${stream} answers ${status} ${message.headers?.description ?? ''}`);
      return null;
    }
    return null;
  } finally {
    clearTimeout(timer);
    forgetReconnect();
    signal.removeEventListener('abort', stop);
    stop();
  }
}
