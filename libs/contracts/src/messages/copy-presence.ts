import { z } from 'zod';
import { TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

/** How often it is said. */
export const COPY_PRESENCE_INTERVAL_MS = 500;

/**
 * How many sessions of a limited load a process copies with, so that all processes share the limit. Not stored: who is
 * silent for some intervals has none.
 */
export const CopyPresence = z.object({
  version: z.literal(1),
  taskId: TaskId,
  /** Of the process, made at its start. */
  processId: z.uuid(),
  sessions: z.number().int().nonnegative(),
});
export type CopyPresence = z.infer<typeof CopyPresence>;

export const copyPresences = defineSubject({
  pattern: 'sluice.v1.copying.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.copying.${taskId}`,
  payload: CopyPresence,
});
