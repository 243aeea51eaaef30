import { SluiceError } from '@sluice/contracts';
import { isConnectionLoss } from '@sluice/postgres-client';

/** A server that a test stops or kills is back soon. */
export function isServerGone(error: unknown): boolean {
  return isConnectionLoss(error) || (error instanceof SluiceError && error.spec.retry === 'backoff');
}
