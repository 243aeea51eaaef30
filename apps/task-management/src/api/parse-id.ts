import { SluiceError } from '@sluice/contracts';
import { z } from 'zod';

/** An id that is no UUID names nothing. @throws SluiceError 6002 */
export function parseId(text: string, kind: string): string {
  const id = z.uuid().safeParse(text);
  if (!id.success) throw new SluiceError('SLUICE-6002', { detail: `no ${kind} has an id of this form` });
  return id.data;
}
