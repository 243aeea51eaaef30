import { z } from 'zod';
import { CATALOG_PAGE_MAX, CatalogObject, CatalogSchema } from '../messages/source-catalog.js';
import { ObjectSelection, SelectableKind } from '../messages/object-selection.js';
import { pageOf } from './page.js';

const PAGE_DEFAULT = 100;

/** Query of `GET /tasks/{id}/catalog`. */
export const CatalogQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(CATALOG_PAGE_MAX).default(PAGE_DEFAULT),
  /** That of the page before. */
  cursor: z.string().max(500).optional(),
});

/** Query of `GET /tasks/{id}/catalog/objects`. */
export const CatalogObjectsQuery = CatalogQuery.extend({
  schema: z.string().min(1).max(63).optional(),
  kind: SelectableKind.optional(),
  /** Part of `schema.name`, whatever its case; of all objects of the source. */
  search: z.string().min(1).max(200).optional(),
});

export const CatalogSchemaList = pageOf(CatalogSchema);
export const CatalogObjectList = pageOf(CatalogObject);
export type CatalogSchemaList = z.infer<typeof CatalogSchemaList>;
export type CatalogObjectList = z.infer<typeof CatalogObjectList>;

/** Body of `POST /tasks/{id}/catalog/closure`; without `objects`: of what the task has. */
export const ClosureRequest = z.strictObject({ objects: ObjectSelection.optional() }).prefault({});
