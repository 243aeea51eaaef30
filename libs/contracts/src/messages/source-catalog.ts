import { z } from 'zod';
import { ListedObject, ObjectSelection, SelectableKind } from './object-selection.js';
import { defineQuestion } from './questions.js';

/** A page of a catalogue travels as one message. */
export const CATALOG_PAGE_MAX = 500;
/** More would neither fit in a message nor help a person. */
export const CLOSURE_LISTED_MAX = 2_000;

/** A schema of the source and how many objects of each kind are in it. */
export const CatalogSchema = z.object({
  schema: z.string(),
  counts: z.partialRecord(SelectableKind, z.number().int()),
});
export type CatalogSchema = z.infer<typeof CatalogSchema>;

/** An object of the source. */
export const CatalogObject = z.object({
  kind: SelectableKind,
  schema: z.string(),
  name: z.string(),
  /** By the statistics of the source, of all partitions; null where there are none, or it holds no rows. */
  rowEstimate: z.number().nullable(),
  /** With indexes and TOAST, of all partitions; null where it stores nothing. */
  bytes: z.number().nullable(),
  /** It comes with its table: the one at the root of its partition tree. */
  partitionOf: z.object({ schema: z.string(), name: z.string() }).nullable(),
});
export type CatalogObject = z.infer<typeof CatalogObject>;

/** Where a page ends: the schema, and the name and kind of an object in it. */
export const CatalogPosition = z.object({
  schema: z.string(),
  name: z.string().optional(),
  kind: SelectableKind.optional(),
});
export type CatalogPosition = z.infer<typeof CatalogPosition>;

export const NeededObject = z.object({
  kind: z.string(),
  schema: z.string(),
  name: z.string(),
  /** What needs it, e.g. `foreign key "orders_customer_fkey" ON "public"."orders"`. */
  neededBy: z.string(),
});
export type NeededObject = z.infer<typeof NeededObject>;

/** What a selection lacks, and what comes along with it. */
export const SelectionClosure = z.object({
  isClosed: z.boolean(),
  /** Tables and views that must be selected, too, those that these need in turn included. */
  missing: z.array(NeededObject),
  /** The same as an addition to `objects` at table level, or as patterns to include and not to exclude. */
  proposal: z.object({ objects: z.array(ListedObject), include: z.array(z.string()) }),
  /** Types, functions, sequences, … that come along by themselves. */
  brought: z.array(z.object({ kind: z.string(), schema: z.string(), name: z.string() })),
  extensions: z.array(z.string()),
  /** A list above was cut off. */
  isCut: z.boolean(),
});
export type SelectionClosure = z.infer<typeof SelectionClosure>;

const page = { after: CatalogPosition.nullable(), limit: z.number().int().min(1).max(CATALOG_PAGE_MAX) };

/** A look at the source of a task, which workers can take and task management cannot. */
export const CatalogRequest = z.discriminatedUnion('look', [
  z.object({ look: z.literal('schemas'), ...page }),
  z.object({
    look: z.literal('objects'),
    ...page,
    /** All schemas, and all kinds, when absent. */
    schema: z.string().optional(),
    kind: SelectableKind.optional(),
    /** Part of `schema.name`, whatever its case. */
    search: z.string().optional(),
  }),
  z.object({ look: z.literal('closure'), selection: ObjectSelection }),
]);
export type CatalogRequest = z.infer<typeof CatalogRequest>;

export const CatalogAnswer = z.discriminatedUnion('look', [
  z.object({ look: z.literal('schemas'), items: z.array(CatalogSchema), next: CatalogPosition.nullable() }),
  z.object({ look: z.literal('objects'), items: z.array(CatalogObject), next: CatalogPosition.nullable() }),
  z.object({ look: z.literal('closure'), closure: SelectionClosure }),
]);
export type CatalogAnswer = z.infer<typeof CatalogAnswer>;

export const catalogQuestion = defineQuestion({
  name: 'catalog',
  asked: CatalogRequest,
  answer: CatalogAnswer,
  deadlineMs: 25_000,
  answeredBy: 'connection-test',
});
