import { type Msg, type Subscription as CoreSubscription } from '@nats-io/nats-core';
import { type Subject } from '@sluice/contracts';
import { type Logger } from '@sluice/telemetry';
import { type z } from 'zod';
import { type Bus } from './bus.js';
import { decodeMessage } from './decode.js';

export interface SubscribeOptions<Params, Schema extends z.ZodType> {
  /** Only messages with these; all of the subject when absent. */
  readonly params?: Params;
  /** Called for one message after the other. */
  readonly handle: (message: z.output<Schema>) => void | Promise<void>;
  readonly signal?: AbortSignal;
  readonly log?: Logger;
}

/** Listening; `using` ends it. */
export interface Listening extends Disposable {
  /** Resolves when it has ended and the last message was handled. */
  readonly closed: Promise<void>;
}

/** Gets what is published from now on; what is missed while disconnected is gone. Survives reconnects. */
export function subscribe<Params, Schema extends z.ZodType>(
  bus: Bus,
  subject: Subject<Params, Schema>,
  options: SubscribeOptions<Params, Schema>,
): Listening {
  const log = options.log ?? bus.log;
  const name = options.params === undefined ? subject.pattern : subject.format(options.params);
  return listen(bus.connection.subscribe(name), options.signal, async (message) => {
    const decoded = decodeMessage(subject.payload, message);
    if (!decoded.ok) {
      log.error({ err: decoded.error }, 'message refused');
      return;
    }
    try {
      await options.handle(decoded.value);
    } catch (error) {
      log.error({ err: error, subject: subject.pattern }, 'message could not be handled');
    }
  });
}

/** Hands every message of the subscription to `onMessage`, which never rejects. */
export function listen(
  subscription: CoreSubscription,
  signal: AbortSignal | undefined,
  onMessage: (message: Msg) => Promise<void> | void,
): Listening {
  const stop = (): void => subscription.unsubscribe();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const closed = (async () => {
    for await (const message of subscription) await onMessage(message);
    signal?.removeEventListener('abort', stop);
  })();
  return { closed, [Symbol.dispose]: stop };
}
