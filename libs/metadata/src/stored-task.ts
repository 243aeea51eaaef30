import {
  type AuditEvent,
  type EndpointInput,
  type EndpointView,
  type IncrementalOptions,
  type ObjectSelection,
  type ProjectId,
  type RateLimit,
  type SyncType,
  type TaskId,
  type UserOptions,
} from '@sluice/contracts';
import { type TaskSituation } from '@sluice/model';
import { type z } from 'zod';

/** Both sides of a task as they were typed in, secrets included. It leaves the vault for a worker only. */
export interface TaskEndpoints {
  readonly source: EndpointInput;
  readonly target: EndpointInput;
}

export interface StoredTask {
  readonly id: TaskId;
  readonly projectId: ProjectId;
  readonly name: string;
  readonly description: string;
  readonly syncType: SyncType;
  readonly incremental: IncrementalOptions;
  readonly users: UserOptions;
  readonly objects: ObjectSelection;
  readonly rateLimit: RateLimit;
  readonly situation: TaskSituation;
  readonly revision: number;
  /** Without secrets. */
  readonly source: z.infer<typeof EndpointView>;
  readonly target: z.infer<typeof EndpointView>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewTask {
  readonly projectId: ProjectId;
  readonly name: string;
  readonly description: string;
  readonly syncType: SyncType;
  readonly incremental: IncrementalOptions;
  readonly users: UserOptions;
  readonly objects: ObjectSelection;
  readonly rateLimit: RateLimit;
  readonly endpoints: TaskEndpoints;
}

/** Who caused a change, for the audit and for the trace. */
export interface Origin {
  /** Name of the API key, or of the service. */
  readonly actor: string;
  /** `null` for a service. */
  readonly keyId: string | null;
  /** With which the key acts; `null` for a service. */
  readonly role: AuditEvent['role'];
  readonly address: string | null;
  readonly traceId: string | null;
  /** W3C trace context. */
  readonly trace: Readonly<Record<string, string>>;
}
