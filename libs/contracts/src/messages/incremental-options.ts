import { z } from 'zod';
import { LsnTextSchema } from '../primitives.js';

/**
 * What happens in the incremental phase when a row collides on a primary or unique key, or when an UPDATE or DELETE finds no row.
 * `error`: the task stops, nothing of the transaction is applied. `ignore`: the target keeps what it has.
 * `overwrite`: the source's row wins. The last two are counted and journaled.
 */
export const ConflictPolicy = z.enum(['error', 'ignore', 'overwrite']);
export type ConflictPolicy = z.infer<typeof ConflictPolicy>;

/** Kinds of DDL that a person can treat differently. Columns, constraints and partitions belong to `table`, domains to `type`, rules to `view`. */
export const DDL_CLASSES = [
  'schema',
  'table',
  'index',
  'view',
  'materialized_view',
  'sequence',
  'type',
  'function',
  'trigger',
  'policy',
  'comment',
  'grant',
  'other',
] as const;
export const DdlClass = z.enum(DDL_CLASSES);
export type DdlClass = z.infer<typeof DdlClass>;

export const DdlAction = z.enum(['apply', 'skip', 'stop']);
export type DdlAction = z.infer<typeof DdlAction>;

/** What a person decided about a DDL that could not be applied; it is found by its place in the stream. */
export const DdlDecision = z.discriminatedUnion('decision', [
  z.strictObject({ commitLsn: LsnTextSchema, number: z.number().int().nonnegative(), decision: z.literal('skip') }),
  z.strictObject({
    commitLsn: LsnTextSchema,
    number: z.number().int().nonnegative(),
    decision: z.literal('replace'),
    /** Executed on the target instead, as it is. */
    statement: z.string().min(1).max(1_000_000),
  }),
]);
export type DdlDecision = z.infer<typeof DdlDecision>;

export const DdlOptions = z.strictObject({
  /**
   * DDL of the source is applied to the target, in order with the rows, and new tables join by themselves. It is the consent to install
   * an event trigger in a schema of its own on the source (removed when the task ends), and to give new tables without a key REPLICA IDENTITY FULL.
   */
  enabled: z.boolean().default(false),
  /** A class that is not named is applied. */
  policies: z.partialRecord(DdlClass, DdlAction).default({}),
});
export type DdlOptions = z.infer<typeof DdlOptions>;

/** How changes are captured and applied after the full load. */
export const IncrementalOptions = z.strictObject({
  conflictPolicy: ConflictPolicy.default('error'),
  ddl: DdlOptions.default({ enabled: false, policies: {} }),
  /**
   * When the source may free WAL. `applied`: once the target has the changes on disk, so that the bus may be lost. `stored`: once the bus
   * has stored them; only with a change stream of three replicas or more.
   */
  confirm: z.enum(['applied', 'stored']).default('applied'),
  /** How often sequences are brought to the target, milliseconds; 0: only when the task ends. */
  sequenceIntervalMs: z.number().int().min(0).max(3_600_000).default(10_000),
  /**
   * Connections that one task may use to write to the target. One writes what has committed; each further one takes a large transaction
   * while it still runs at the source (PostgreSQL 14 or newer, `confirm: applied`), so that little is left to do when it commits. 1: none is
   * begun before its commit.
   */
  connectionsMax: z.number().int().min(1).max(16).default(4),
});
export type IncrementalOptions = z.infer<typeof IncrementalOptions>;

export const DEFAULT_INCREMENTAL_OPTIONS: IncrementalOptions = {
  conflictPolicy: 'error',
  ddl: { enabled: false, policies: {} },
  confirm: 'applied',
  sequenceIntervalMs: 10_000,
  connectionsMax: 4,
};
