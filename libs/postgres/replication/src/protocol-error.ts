import { SluiceError } from '@sluice/contracts';

/** The bytes are not what the replication protocol allows. Never holds row values: only where and what. */
export function protocolViolation(what: string, offset: number): SluiceError {
  return new SluiceError('SLUICE-4004', { detail: `${what} at byte ${offset}` });
}
