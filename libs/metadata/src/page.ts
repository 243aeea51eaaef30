import { type ProjectId, SluiceError } from '@sluice/contracts';
import { type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';

/** Where a list is read: everywhere, or in those projects only. */
export type InProjects = 'all' | readonly ProjectId[];

export interface Page<Item> {
  readonly items: readonly Item[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

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

/** Keeps the rows of these projects; a row of none is among `all` only. */
export function keepProjects(builder: SelectQueryBuilder<ObjectLiteral>, column: string, projects: InProjects): void {
  if (projects !== 'all') builder.andWhere(`${column} = ANY(:projects)`, { projects });
}

/**
 * Reads a page, newest first. The cursor is the position of the last row seen, so that rows added meanwhile neither
 * repeat nor hide one.
 */
export async function readPage<Row extends ObjectLiteral & { readonly position: string }>(
  builder: SelectQueryBuilder<Row>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<Row>> {
  builder.orderBy(`${builder.alias}.position`, 'DESC').limit(limit + 1);
  if (cursor !== undefined) builder.andWhere(`${builder.alias}.position < :after`, { after: parseCursor(cursor) });
  const rows = await builder.getMany();
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? formatCursor(last.position) : null };
}
