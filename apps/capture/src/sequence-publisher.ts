import { SEQUENCES_PER_MESSAGE_MAX, sequenceMessages, type TaskId } from '@sluice/contracts';
import { type Bus, publish } from '@sluice/messaging';
import { type SequenceState } from '@sluice/postgres-catalog';

/** Hands states of sequences to apply. One that is lost comes again in its turn. */
export function publishSequences(bus: Bus, taskId: TaskId, states: readonly SequenceState[]): void {
  for (let start = 0; start < states.length; start += SEQUENCES_PER_MESSAGE_MAX) {
    const sequences = states.slice(start, start + SEQUENCES_PER_MESSAGE_MAX);
    publish(bus, sequenceMessages, {
      params: { taskId },
      payload: { version: 1, taskId, sequences },
      durable: false,
    }).catch((error: unknown) => bus.log.info({ err: error, task_id: taskId }, 'sequences could not be sent'));
  }
}
