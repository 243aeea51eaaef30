import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { type Msg, nanos } from '@nats-io/nats-core';
import { EVENTS_STREAM, type Subject } from '@sluice/contracts';
import { backoffDelayMs } from '@sluice/kernel';
import { extractContext, type Logger, withSpan } from '@sluice/telemetry';
import { type z } from 'zod';
import { parseAckSubject } from './ack-subject.js';
import { type Bus } from './bus.js';
import { decodeMessage } from './decode.js';
import { pullLoop } from './pull-loop.js';
import { headerCarrier } from './trace-headers.js';

export interface ConsumeEventsOptions<Params, Schema extends z.ZodType> {
  readonly subject: Subject<Params, Schema>;
  /** Whoever uses the same name shares the events; it goes on where the last one of that name stopped. */
  readonly durableName: string;
  /** Events handled at the same time; with 1 they come in order, but for those that are delivered again. Default 1. */
  readonly concurrency?: number;
  /** Rejects to get the event again later. The same event can come twice: the handler must know. */
  readonly handle: (event: z.output<Schema>, context: EventContext) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log?: Logger;
}

export interface EventContext {
  readonly redelivered: boolean;
  readonly log: Logger;
}

/** A handler that takes longer gets the event a second time. */
const EVENT_ACK_WAIT_MS = 30_000;
const NAK_BACKOFF = { baseMs: 500, capMs: 30_000 };

/** Handles events until the signal is aborted. Events published while nobody listened are delivered, up to a week. */
export function consumeEvents<Params, Schema extends z.ZodType>(
  bus: Bus,
  options: ConsumeEventsOptions<Params, Schema>,
): Promise<void> {
  const { durableName, subject, signal } = options;
  const log = options.log ?? bus.log;
  const ensureConsumer = async (): Promise<void> => {
    await bus.ensureTopology();
    await bus.manager.consumers.add(EVENTS_STREAM.name, {
      durable_name: durableName,
      filter_subject: subject.pattern,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(EVENT_ACK_WAIT_MS),
      deliver_policy: DeliverPolicy.All,
      max_deliver: -1,
    });
  };
  return pullLoop(bus, {
    stream: EVENTS_STREAM.name,
    consumer: durableName,
    slots: options.concurrency ?? 1,
    signal,
    log,
    ensureConsumer,
    onMessage: (message) => handleEvent(message, { ...options, log }),
  });
}

async function handleEvent<Params, Schema extends z.ZodType>(
  message: Msg,
  { subject, handle, log }: ConsumeEventsOptions<Params, Schema> & { readonly log: Logger },
): Promise<void> {
  const decoded = decodeMessage(subject.payload, message);
  if (!decoded.ok) {
    log.error({ err: decoded.error }, 'event refused');
    message.respond('+TERM');
    return;
  }
  const { deliveryCount } = parseAckSubject(message.reply ?? '');
  try {
    await withSpan(`handle ${subject.pattern}`, { parent: extractContext(headerCarrier(message.headers)) }, async () =>
      handle(decoded.value, { redelivered: deliveryCount > 1, log }),
    );
    message.respond('+ACK');
  } catch (error) {
    const delayMs = backoffDelayMs(deliveryCount - 1, NAK_BACKOFF);
    log.error({ err: error }, 'event could not be handled, it will come again');
    message.respond(`-NAK {"delay": ${delayMs * 1_000_000}}`);
  }
}
