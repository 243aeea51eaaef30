import { z } from 'zod';

const Name = z.object({ schema: z.string(), name: z.string() });

/** The relation that an object is or belongs to: the table of an index, a trigger, an owned sequence. */
const Relation = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  /** pg_class.relkind */
  kind: z.string(),
  /** Of a partition, the nearest first. */
  ancestors: z.array(Name),
});
export type DdlRelation = z.infer<typeof Relation>;

/** An object that a statement made or changed, as pg_event_trigger_ddl_commands() names it. */
const Command = z.object({
  tag: z.string(),
  /** Null for privileges, which the server reports without saying on what. */
  type: z.string().nullable(),
  schema: z.string().nullable(),
  /** Quoted as the server quotes it. */
  identity: z.string().nullable(),
  classId: z.number().nullable(),
  oid: z.number().nullable(),
  owner: z.string().nullable(),
  /** Captures of earlier versions do not tell it; only tasks of these have all objects. */
  relation: Relation.nullable().default(null),
  /** Of a new object, where they are not the usual ones. A grantee of null is PUBLIC. */
  acl: z
    .array(z.object({ grantee: z.string().nullable(), privilege: z.string(), isGrantable: z.boolean() }))
    .nullable(),
});

const DroppedObject = z.object({
  type: z.string(),
  schema: z.string().nullable(),
  name: z.string().nullable(),
  identity: z.string(),
  /** The parts of its name; of a trigger, a policy, a rule those of its table first. */
  names: z.array(z.string()).default([]),
  oid: z.number(),
  /** The statement names it; others went with it. */
  isOriginal: z.boolean(),
});

const Column = z.object({
  attnum: z.number(),
  name: z.string(),
  /** With schema and modifier, as format_type gives it. */
  type: z.string(),
  notNull: z.boolean(),
  default: z.string().nullable(),
  identity: z.enum(['', 'a', 'd']),
  generated: z.enum(['', 's', 'v']),
  /** What its type gives it where it has no default itself. */
  domainDefault: z.string().nullable(),
  /** Quoted and with its schema, where it is not that of the type. */
  collation: z.string().nullable(),
});

/** A table (or what else has columns) after the statement. */
const Table = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  /** pg_class.relkind */
  kind: z.string(),
  persistence: z.enum(['p', 'u', 't']),
  owner: z.string(),
  isPartition: z.boolean(),
  hasPrimaryKey: z.boolean(),
  replicaIdentity: z.string(),
  options: z.array(z.string()),
  accessMethod: z.string().nullable(),
  columns: z.array(Column),
  /** Partitions and children, at any depth: statements on a table recurse to them. */
  descendants: z.array(z.object({ oid: z.number(), schema: z.string(), name: z.string(), kind: z.string() })),
});

const Place = {
  version: z.literal(1),
  tag: z.string(),
  /** Which of the statements of its text or call that fire event triggers, from 1. */
  number: z.number(),
  /** The text that the client sent, when the statement is one of it; null inside functions. Apply `StatementTexts` to it. */
  query: z.string().nullable(),
  /** What calls what, innermost first, without our own function; empty at top level. */
  context: z.string(),
  /** Settings of the session that the meaning of a text depends on. */
  settings: z.record(z.string(), z.string()),
  /** The role of the session outside of functions: SET ROLE, or else who logged in. */
  user: z.string(),
  sessionUser: z.string(),
  /** Those on the search path that exist. */
  pathSchemas: z.array(z.string()),
  at: z.string(),
  serverVersion: z.number(),
};

const CapturedDdl = z.object({
  ...Place,
  kind: z.literal('ddl'),
  commands: z.array(Command),
  dropped: z.array(DroppedObject),
  /** Of tables that were written anew. */
  rewrittenOids: z.array(z.number()),
  tables: z.array(Table),
  /** Sources of SQL functions, when the innermost call is one. */
  functionSources: z.array(z.string()),
  /** Temporary relations of the session, for statements whose objects the server does not report. */
  temporaryRelations: z.array(z.string()),
});

/** The trigger failed; the user's DDL was left alone. Nobody knows what it was. */
const UnreadableDdl = z.object({
  version: z.literal(1),
  kind: z.literal('unreadable'),
  tag: z.string(),
  reason: z.string(),
  sqlState: z.string(),
});

export const DdlEvent = z.discriminatedUnion('kind', [CapturedDdl, UnreadableDdl]);
export type DdlEvent = z.infer<typeof DdlEvent>;
export type CapturedDdl = z.infer<typeof CapturedDdl>;
export type DdlTableFacts = z.infer<typeof Table>;
export type DdlColumnFacts = z.infer<typeof Column>;
