import { z } from 'zod';
import { TaskId } from '../primitives.js';
import { DdlDecision, IncrementalOptions } from './incremental-options.js';
import { DEFAULT_USER_OPTIONS, UserOptions } from './user-options.js';
import { EVERYTHING, ObjectSelection } from './object-selection.js';

export const SyncType = z.enum(['full_and_incremental', 'full', 'incremental']);
export type SyncType = z.infer<typeof SyncType>;

/** What a worker must know of a task to run one of its stages; everything but the credentials. */
export const TaskSpec = z.object({
  taskId: TaskId,
  name: z.string(),
  syncType: SyncType,
  /** Name of the slot and of the publication on the source: `sluice_` and the id's 32 hex digits. */
  slotName: z.string(),
  publicationName: z.string(),
  incremental: IncrementalOptions,
  /** Which objects belong to it. */
  objects: ObjectSelection.default(EVERYTHING),
  /** What a person decided about DDL that could not be applied. */
  ddlDecisions: z.array(DdlDecision).default([]),
  users: UserOptions.default(DEFAULT_USER_OPTIONS),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

/** The slot's and publication's name of a task. */
export function helperObjectName(taskId: TaskId): string {
  return `sluice_${taskId.replaceAll('-', '')}`;
}
