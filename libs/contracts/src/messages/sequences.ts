import { z } from 'zod';
import { TaskId } from '../primitives.js';
import { defineSubject } from './subject.js';

/** Sequences of the source that moved, as capture saw them; at most SEQUENCES_PER_MESSAGE_MAX. Not stored: the next look brings a lost one again. */
export const SequencesMessage = z.object({
  version: z.literal(1),
  taskId: TaskId,
  sequences: z.array(
    z.object({
      schema: z.string(),
      name: z.string(),
      /** A bigint as text. */
      lastValue: z.string().regex(/^-?\d+$/),
      isCalled: z.boolean(),
    }),
  ),
});
export type SequencesMessage = z.infer<typeof SequencesMessage>;

/** Keeps a message far below 1 MiB with the longest names. */
export const SEQUENCES_PER_MESSAGE_MAX = 2_000;

export const sequenceMessages = defineSubject({
  pattern: 'sluice.v1.sequences.*',
  format: ({ taskId }: { taskId: TaskId }) => `sluice.v1.sequences.${taskId}`,
  payload: SequencesMessage,
});
