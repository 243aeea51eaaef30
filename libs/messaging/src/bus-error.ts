import { JetStreamApiError } from '@nats-io/jetstream';
import { SluiceError } from '@sluice/contracts';

/** `err_code`s of nats-server's JetStream API: https://github.com/nats-io/nats-server/blob/v2.9.10/server/errors.json */
export const JS_ERROR = {
  streamNotFound: 10059,
  noSuitablePeers: 10005,
  replicasNotSupported: 10074,
  consumerNotFound: 10014,
  messageNotFound: 10037,
  streamNameInUse: 10058,
  wrongLastMessageId: 10070,
  wrongLastSequence: 10071,
  insufficientResources: 10023,
  storageResourcesExceeded: 10047,
  streamStoreFailed: 10077,
  workQueueConsumerNotUnique: 10100,
  workQueueMultipleUnfiltered: 10099,
} as const;

export function hasJsError(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof JetStreamApiError && codes.includes(error.code);
}

/** True when nobody listens on the subject: the stream or the consumer behind it does not exist, or JetStream is not up yet. */
export function isNoResponders(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'NoRespondersError' ||
    error.name === 'JetStreamNotEnabled' ||
    (error.cause !== undefined && isNoResponders(error.cause))
  );
}

/** What failed on the bus, as an error that is retried with backoff. */
export function busUnavailable(what: string, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const why = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new SluiceError('SLUICE-7001', { detail: `${what}: ${why}`, cause });
}

export function invalidMessage(subject: string, why: string): SluiceError {
  return new SluiceError('SLUICE-7002', { detail: `${subject}: ${why}` });
}
