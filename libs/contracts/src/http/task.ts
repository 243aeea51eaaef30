import { z } from 'zod';
import { ConnectionTestResult, PrecheckResult } from '../messages/checks.js';
import { DelayParts, Progress } from '../messages/progress.js';
import { DEFAULT_INCREMENTAL_OPTIONS, IncrementalOptions } from '../messages/incremental-options.js';
import { EVERYTHING, ObjectSelection } from '../messages/object-selection.js';
import { NO_RATE_LIMIT, RateLimit } from '../messages/rate-limit.js';
import { SyncType } from '../messages/task-spec.js';
import { DEFAULT_USER_OPTIONS, UserOptions } from '../messages/user-options.js';
import { ErrorReport, LsnTextSchema, ProjectId, TaskId } from '../primitives.js';

/** ≤ 500 KB of PEM text. */
const Pem = z
  .string()
  .max(500 * 1024, 'at most 500 KB')
  .regex(/-----BEGIN [A-Z0-9 ]+-----[\s\S]+-----END [A-Z0-9 ]+-----/, 'must be PEM');

export const TlsInput = z.strictObject({
  mode: z.enum(['disable', 'require', 'verify-ca', 'verify-full']),
  ca: Pem.optional(),
  cert: Pem.optional(),
  key: Pem.optional(),
});

export const EndpointInput = z.strictObject({
  host: z.string().min(1).max(255),
  port: z.number().int().min(1).max(65535),
  database: z.string().min(1).max(63),
  user: z.string().min(1).max(63),
  password: z.string().max(1024),
  tls: TlsInput.default({ mode: 'disable' }),
});
export type EndpointInput = z.infer<typeof EndpointInput>;

/** 4–50 characters, first a letter, then letters, digits, `-`, `_`; unique in its project, compared case-insensitively. */
export const TaskName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{3,49}$/, '4–50 characters, first a letter, then letters, digits, - or _');

export const CreateTaskRequest = z.strictObject({
  /** When absent: the default project. */
  projectId: ProjectId.optional(),
  name: TaskName,
  description: z
    .string()
    .max(256)
    .regex(/^[^!=<>&'"\\]*$/, 'must not contain ! = < > & \' " \\')
    .default(''),
  syncType: SyncType.exclude(['incremental']).default('full_and_incremental'),
  source: EndpointInput,
  target: EndpointInput,
  incremental: IncrementalOptions.default(DEFAULT_INCREMENTAL_OPTIONS),
  users: UserOptions.default(DEFAULT_USER_OPTIONS),
  objects: ObjectSelection.default(EVERYTHING),
  rateLimit: RateLimit.default(NO_RATE_LIMIT),
});
export type CreateTaskRequest = z.infer<typeof CreateTaskRequest>;

export const EndTaskRequest = z.strictObject({ untilLsn: LsnTextSchema.optional() }).prefault({});
export type EndTaskRequest = z.infer<typeof EndTaskRequest>;

export const EndpointView = z.object({
  host: z.string(),
  port: z.number(),
  database: z.string(),
  user: z.string(),
  tlsMode: z.string(),
});

/** How far the target is behind the source; all zero when nothing is pending. `captureMs`, `transportMs` and `applyMs` make up `totalMs`. */
export const TaskDelay = DelayParts.extend({
  /** Source clock now − the time on the source up to which the target has everything. */
  totalMs: z.number(),
  /** WAL between what is applied and the end of WAL on the source, bytes; null until the source was seen. */
  walBytes: z.number().nullable(),
  /** WAL that the source keeps on its disk for the slot, bytes. */
  retainedBytes: z.number().nullable(),
});
export type TaskDelay = z.infer<typeof TaskDelay>;

/** What a task's selection is made of, for lists. */
export const ObjectsSummary = z.object({
  level: z.enum(['database', 'table']),
  listedCount: z.number().int(),
  include: z.array(z.string()),
  exclude: z.array(z.string()),
});
export type ObjectsSummary = z.infer<typeof ObjectsSummary>;

export const TaskResource = z.object({
  id: TaskId,
  projectId: ProjectId,
  name: z.string(),
  description: z.string(),
  syncType: SyncType,
  state: z.string(),
  availableActions: z.array(z.string()),
  source: EndpointView.nullable(),
  target: EndpointView.nullable(),
  incremental: IncrementalOptions,
  users: UserOptions,
  /** Of the full load. */
  rateLimit: RateLimit,
  /** How objects were chosen; the whole selection is at `/tasks/{id}/objects`. */
  objects: ObjectsSummary,
  epoch: z.number().int(),
  /** Rises with every change of the task but those of progress and delay; the ETag is this number in quotes. */
  revision: z.number().int(),
  error: ErrorReport.nullable(),
  connectionTest: ConnectionTestResult.nullable(),
  precheck: PrecheckResult.nullable(),
  /** The newest live numbers by kind. */
  progress: z.object({ fullLoad: Progress.nullable(), capture: Progress.nullable(), apply: Progress.nullable() }),
  /** Of the incremental phase; null before it, and until its workers have spoken. */
  delay: TaskDelay.nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type TaskResource = z.infer<typeof TaskResource>;

/** Whether a task of this name could be made in the project now. */
export const NameCheckQuery = z.strictObject({ name: z.string().max(200), projectId: ProjectId.optional() });

export const NameCheck = z.object({
  name: z.string(),
  isAvailable: z.boolean(),
  reason: z.enum(['malformed', 'taken']).nullable(),
});
export type NameCheck = z.infer<typeof NameCheck>;

/** RFC 9457. */
export const ProblemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  remedy: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  allowedActions: z.array(z.string()).optional(),
  traceId: z.string().optional(),
});
export type ProblemDocument = z.infer<typeof ProblemDocument>;
