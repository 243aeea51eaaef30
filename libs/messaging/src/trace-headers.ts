import { headers, type MsgHdrs } from '@nats-io/nats-core';
import { type HeaderCarrier, injectContext } from '@sluice/telemetry';

/** The headers of a message as the carrier of a trace context. */
export function headerCarrier(messageHeaders: MsgHdrs | undefined): HeaderCarrier {
  return {
    get: (name) => messageHeaders?.get(name) || undefined,
    set: (name, value) => messageHeaders?.set(name, value),
    keys: () => messageHeaders?.keys() ?? [],
  };
}

/** New headers that carry the active trace context. */
export function tracedHeaders(): MsgHdrs {
  const result = headers();
  injectContext(headerCarrier(result));
  return result;
}
