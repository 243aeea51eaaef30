import { z } from 'zod';

/** Identifies a task everywhere; also names its slot, publication, stream and bookkeeping rows. */
export const TaskId = z.uuid();
export type TaskId = z.infer<typeof TaskId>;

/** Identifies a project, the tenancy unit. */
export const ProjectId = z.uuid();
export type ProjectId = z.infer<typeof ProjectId>;

/** A WAL position as PostgreSQL prints it. */
export const LsnTextSchema = z.string().regex(/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/);

export const Side = z.enum(['source', 'target']);
export type Side = z.infer<typeof Side>;

/** An error as it travels: catalogued code, what happened and where, what to do. Never secrets; of a row its key only. */
export const ErrorReport = z.object({
  code: z.string(),
  detail: z.string(),
  remedy: z.string(),
  /** Facts for programs, by name: table, constraint, commitLsn, number, statement, … */
  evidence: z.record(z.string(), z.string()).optional(),
});
export type ErrorReport = z.infer<typeof ErrorReport>;

/** A table by its name on the source. */
export const TableName = z.object({ schema: z.string(), name: z.string() });
export type TableName = z.infer<typeof TableName>;
