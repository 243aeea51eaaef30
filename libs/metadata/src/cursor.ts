import { SluiceError } from '@sluice/contracts';

/** The position of the last row seen, in a form that nobody is tempted to compute with. */
export function formatCursor(position: string): string {
  return Buffer.from(`p${position}`).toString('base64url');
}

/** @throws SluiceError 6001 */
export function parseCursor(cursor: string): string {
  const match = /^p(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match?.[1]) throw new SluiceError('SLUICE-6001', { detail: 'cursor: not one that this service gave out' });
  return match[1];
}
