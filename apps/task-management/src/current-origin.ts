import { type Origin, type TraceHeaders } from '@sluice/metadata';
import { currentTraceId, type HeaderCarrier, injectContext } from '@sluice/telemetry';

/** Somebody who acts in the present trace. */
export function currentOrigin(who: Pick<Origin, 'actor' | 'keyId' | 'role' | 'address'>): Origin {
  const trace: Record<string, string> = {};
  injectContext(carrierOf(trace));
  return { ...who, traceId: currentTraceId(), trace };
}

/** Stored trace headers as the carrier of a trace context. */
export function carrierOf(headers: Record<string, string>): HeaderCarrier {
  return {
    get: (name) => headers[name],
    set: (name, value) => {
      headers[name] = value;
    },
    keys: () => Object.keys(headers),
  };
}

/** A copy, as stored headers are not ours to change. */
export function storedCarrier(headers: TraceHeaders): HeaderCarrier {
  return carrierOf({ ...headers });
}
