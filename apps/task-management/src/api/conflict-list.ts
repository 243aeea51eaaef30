import { Conflict, ConflictAction, ConflictKind } from '@sluice/contracts';
import { z } from 'zod';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 200;
/** Rows may be long. */
const PAGE_MAX_WITH_ROWS = 20;

/** Query of `GET /tasks/{id}/conflicts`. */
export const ConflictListQuery = z
  .strictObject({
    limit: z.coerce.number().int().min(1).max(PAGE_MAX).optional(),
    cursor: z.string().max(100).optional(),
    schema: z.string().max(63).optional(),
    table: z.string().max(63).optional(),
    kind: ConflictKind.optional(),
    action: ConflictAction.optional(),
    operation: Conflict.shape.operation.optional(),
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
    rows: z.enum(['true', 'false']).optional(),
  })
  .refine(({ limit, rows }) => rows !== 'true' || limit === undefined || limit <= PAGE_MAX_WITH_ROWS, {
    path: ['limit'],
    error: `with rows at most ${PAGE_MAX_WITH_ROWS}`,
  });

export function pageSize({ limit, rows }: z.infer<typeof ConflictListQuery>): number {
  return limit ?? (rows === 'true' ? PAGE_MAX_WITH_ROWS : PAGE_DEFAULT);
}

/** Answer of `GET /tasks/{id}/conflicts`, newest first; `sourceRow` and `targetRows` only with `rows=true`. */
export const ConflictList = z.object({
  items: z.array(
    Conflict.extend({
      sourceRow: Conflict.shape.sourceRow.optional(),
      targetRows: Conflict.shape.targetRows.optional(),
    }),
  ),
  nextCursor: z.string().nullable(),
});
