import { type Msg } from '@nats-io/nats-core';
import { type Subject } from '@sluice/contracts';
import { extractContext, type Logger, withSpan } from '@sluice/telemetry';
import { type z } from 'zod';
import { type Bus } from './bus.js';
import { busUnavailable } from './bus-error.js';
import { decodeMessage } from './decode.js';
import { listen, type Listening } from './subscribe.js';
import { headerCarrier, tracedHeaders } from './trace-headers.js';

export interface RequestOptions<Params, Payload, Reply extends z.ZodType> {
  readonly params: Params;
  readonly payload: Payload;
  readonly reply: Reply;
  readonly timeoutMs: number;
}

export interface ServeRequestsOptions<Params, Schema extends z.ZodType> {
  /** Only requests with these; all of the subject when absent. */
  readonly params?: Params;
  /** The reply, sent as JSON. A rejection is logged and answered by silence: the asker's timeout decides. */
  readonly handle: (request: z.output<Schema>) => Promise<unknown>;
  readonly signal?: AbortSignal;
  readonly log?: Logger;
}

/** Of several processes that serve a subject, one answers each request. */
const QUEUE_GROUP = 'sluice';

/** @throws SluiceError 7001 when nobody answers in time; 7002 when the answer does not fit. */
export async function request<Params, Schema extends z.ZodType, Reply extends z.ZodType>(
  bus: Bus,
  subject: Subject<Params, Schema>,
  { params, payload, reply, timeoutMs }: RequestOptions<Params, z.input<Schema>, Reply>,
): Promise<z.output<Reply>> {
  const name = subject.format(params);
  let answer: Msg;
  try {
    answer = await bus.connection.request(name, JSON.stringify(payload), {
      timeout: timeoutMs,
      headers: tracedHeaders(),
    });
  } catch (error) {
    throw busUnavailable(`request to ${name}`, error);
  }
  const decoded = decodeMessage(reply, answer);
  if (!decoded.ok) throw decoded.error;
  return decoded.value;
}

/** Answers requests until the signal is aborted; requests are handled beside each other. */
export function serveRequests<Params, Schema extends z.ZodType>(
  bus: Bus,
  subject: Subject<Params, Schema>,
  options: ServeRequestsOptions<Params, Schema>,
): Listening {
  const log = options.log ?? bus.log;
  const answer = async (message: Msg): Promise<void> => {
    const decoded = decodeMessage(subject.payload, message);
    if (!decoded.ok) {
      log.error({ err: decoded.error }, 'request refused');
      return;
    }
    try {
      const parent = extractContext(headerCarrier(message.headers));
      await withSpan(`answer ${subject.pattern}`, { parent }, async () => {
        message.respond(JSON.stringify(await options.handle(decoded.value)));
      });
    } catch (error) {
      log.error({ err: error, subject: subject.pattern }, 'request could not be answered');
    }
  };
  const name = options.params === undefined ? subject.pattern : subject.format(options.params);
  return listen(bus.connection.subscribe(name, { queue: QUEUE_GROUP }), options.signal, (message) => {
    void answer(message);
  });
}
