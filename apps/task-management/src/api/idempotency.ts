import { type CreateOptions, type Origin } from '@sluice/metadata';
import { type Request } from 'express';
import { z } from 'zod';

/** Value of the header `Idempotency-Key`. */
export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Idempotency-Key: 1–255 visible ASCII characters')
  .optional();

/** How to create what this request asks for. */
export function createOptions({ headers }: Request, origin: Origin): CreateOptions {
  return { origin, idempotencyKey: IdempotencyKey.parse(headers['idempotency-key']) };
}

/** Says where the created object is, and whether an earlier request had made it. */
export function announceCreated({ res }: Request, location: string, isReplay: boolean): void {
  res?.location(location);
  if (isReplay) res?.header('Idempotent-Replayed', 'true');
}
