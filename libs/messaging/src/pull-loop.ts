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

/** A pull request is renewed after this. */
const PULL_EXPIRES_MS = 30_000;
/** The server speaks at least this often while a request waits; it says nothing at all when there is no such consumer. */
const IDLE_HEARTBEAT_MS = 2_000;
/** Two heartbeats and a bit. */
const SILENCE_MAX_MS = 5_000;
const RETRY_BACKOFF = { baseMs: 100, capMs: 2_000 };
const STATUS_HEARTBEAT = 100;
const STATUS_TIMEOUT = 408;

/**
 * Pulls messages of a durable consumer, one per free slot, until the signal is aborted; survives restarts and loss of the bus.
 * A message is pulled only when somebody is free to handle it, so that none waits here while its ack wait runs out.
 */
export async function pullLoop(bus: Bus, options: PullLoopOptions): Promise<void> {
  await options.ensureConsumer().catch(() => undefined);
  await Promise.all(Array.from({ length: options.slots }, () => runSlot(bus, options)));
}

async function runSlot(bus: Bus, options: PullLoopOptions): Promise<void> {
  const { signal, log, consumer } = options;
  let failures = 0;
  while (!signal.aborted && !bus.connection.isClosed()) {
    try {
      const message = await pullOne(bus, options);
      failures = 0;
      if (message) await options.onMessage(message);
    } catch (error) {
      if (signal.aborted) return;
      log.debug({ err: error, consumer }, 'pull failed');
      await options.ensureConsumer().catch(() => undefined);
      await delay(backoffDelayMs(failures, RETRY_BACKOFF), signal).catch(() => undefined);
      failures += 1;
    }
  }
}

/** The next message, or `null` when none came in time. Rejects when it is not sure that the consumer still knows of the request. */
function pullOne(bus: Bus, { stream, consumer, signal }: PullLoopOptions): Promise<Msg | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Msg | null>();
  const fail = (why: string): void => reject(new Error(`consumer ${consumer} of ${stream}: ${why}`));
  const silence = setTimeout(() => fail('silence'), SILENCE_MAX_MS);
  const inbox = createInbox();
  const subscription = bus.connection.subscribe(inbox, {
    callback: (_, message) => {
      silence.refresh();
      const status = message.headers?.code ?? 0;
      if (status === 0) resolve(message);
      else if (status === STATUS_TIMEOUT) resolve(null);
      else if (status !== STATUS_HEARTBEAT) fail(`${status} ${message.headers?.description ?? ''}`);
    },
  });
  const onAbort = (): void => resolve(null);
  signal.addEventListener('abort', onAbort, { once: true });
  const forget = [
    // The server forgets a pull request with its connection.
    bus.on('reconnect', () => fail('connection renewed')),
    bus.onTopologyLost(() => fail('streams lost')),
  ];
  const request = { batch: 1, expires: nanos(PULL_EXPIRES_MS), idle_heartbeat: nanos(IDLE_HEARTBEAT_MS) };
  bus.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(request), { reply: inbox });
  return promise.finally(() => {
    clearTimeout(silence);
    subscription.unsubscribe();
    signal.removeEventListener('abort', onAbort);
    for (const end of forget) end();
  });
}
