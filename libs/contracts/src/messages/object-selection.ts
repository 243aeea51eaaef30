import { z } from 'zod';
import { MalformedPattern, parsePattern } from './object-pattern.js';

/** Of PostgreSQL: NAMEDATALEN − 1. */
const IDENTIFIER_BYTES_MAX = 63;
/** A quoted pattern of the two longest names, every character a quote. */
const PATTERN_LENGTH_MAX = 2 * (2 * IDENTIFIER_BYTES_MAX + 2) + 1;
/** Every object is compared with each of them. */
const PATTERNS_MAX = 200;
/** A run carries the selection of its task in one message, and a bus with default settings takes messages of 1 MiB. */
export const SELECTION_BYTES_MAX = 512 * 1024;

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** PostgreSQL stores neither. */
function isStorable(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

/** Any legal identifier, as the catalogues hold it: no quotes around it, nothing folded. */
export const Identifier = z
  .string()
  .min(1)
  .refine((name) => bytesOf(name) <= IDENTIFIER_BYTES_MAX, `at most ${IDENTIFIER_BYTES_MAX} bytes in UTF-8`)
  .refine(isStorable, 'must not contain a zero byte or half of a surrogate pair');

/** `schema.name` with `*`, `?` and double quotes; the grammar stands at `parsePattern`. */
export const ObjectPattern = z
  .string()
  .max(PATTERN_LENGTH_MAX)
  .refine(isStorable, 'must not contain a zero byte or half of a surrogate pair')
  .superRefine((pattern, context) => {
    try {
      parsePattern(pattern);
    } catch (error) {
      if (!(error instanceof MalformedPattern)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

/** What can be listed. `function` stands for all overloads of a name, procedures and aggregates too; `type` for domains, too. */
export const SELECTABLE_KINDS = ['table', 'view', 'materialized_view', 'sequence', 'function', 'type'] as const;
export const SelectableKind = z.enum(SELECTABLE_KINDS);
export type SelectableKind = z.infer<typeof SelectableKind>;

export const ListedObject = z.discriminatedUnion('kind', [
  /** Everything in the schema. */
  z.strictObject({ kind: z.literal('schema'), schema: Identifier }),
  z.strictObject({ kind: SelectableKind, schema: Identifier, name: Identifier }),
]);
export type ListedObject = z.infer<typeof ListedObject>;

const patterns = {
  /** Objects that match one of them; of every kind that has a schema. */
  include: z.array(ObjectPattern).max(PATTERNS_MAX).optional(),
  /** But not those that match one of these. */
  exclude: z.array(ObjectPattern).max(PATTERNS_MAX).optional(),
};

/**
 * Which objects of the source belong to a task. What they need comes along where it holds no rows and reads none (types, functions,
 * sequences, schemas, extensions, …); a table, view or materialized view that something needs must be selected itself.
 * A partitioned table brings its partitions.
 *
 * `database`: everything, or what matches `include` (when given) and not `exclude`; new objects that match join by themselves.
 * `table`: what is listed, and what matches `include`, but not `exclude`, of what is there when the load begins; of new objects only
 * those that are listed by their own name, and partitions of selected tables.
 */
export const ObjectSelection = z
  .discriminatedUnion('level', [
    z.strictObject({ level: z.literal('database'), ...patterns }),
    z.strictObject({ level: z.literal('table'), objects: z.array(ListedObject).default([]), ...patterns }),
  ])
  .superRefine((selection, context) => {
    const issue = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    if (bytesOf(JSON.stringify(selection)) > SELECTION_BYTES_MAX)
      issue([], `at most ${SELECTION_BYTES_MAX} bytes as JSON; list schemas or use patterns`);
    if (selection.include?.length === 0) issue(['include'], 'nothing would be selected; leave it out');
    if (selection.level !== 'table') return;
    if (selection.objects.length === 0 && selection.include === undefined) issue(['objects'], 'nothing is selected');
    const seen = new Set<string>();
    for (const [index, listed] of selection.objects.entries()) {
      const key = JSON.stringify([listed.kind, listed.schema, 'name' in listed ? listed.name : null]);
      if (seen.has(key)) issue(['objects', index], 'is listed twice');
      seen.add(key);
    }
  });
export type ObjectSelection = z.infer<typeof ObjectSelection>;

export const EVERYTHING: ObjectSelection = { level: 'database' };
