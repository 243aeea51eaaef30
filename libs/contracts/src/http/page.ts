import { z } from 'zod';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 200;

/** Query of every list: how many, and the cursor that the previous page named. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT),
  cursor: z.string().max(100).optional(),
});

/** Answer of every list, newest first; `nextCursor` is null on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
