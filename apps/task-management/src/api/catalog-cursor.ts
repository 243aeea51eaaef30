import { CatalogPosition, SluiceError } from '@sluice/contracts';

/** Opaque to callers: where the page ends, whatever characters are in names. */
export function formatCursor(position: CatalogPosition | null): string | null {
  return position && Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws SluiceError 6001 */
export function parseCursor(cursor: string | undefined): CatalogPosition | null {
  if (cursor === undefined) return null;
  try {
    return CatalogPosition.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (error) {
    throw new SluiceError('SLUICE-6001', { detail: 'cursor: it is none of a page before', cause: error });
  }
}
