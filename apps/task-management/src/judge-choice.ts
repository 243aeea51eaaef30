import { SluiceError } from '@sluice/contracts';
import { type TaskSituation, type TaskState } from '@sluice/model';

const CHOOSING: readonly TaskState[] = ['configuring', 'waiting_to_start', 'start_failed'];

/**
 * What a task brings to the target is chosen before its load begins: afterwards part of it is there.
 * @throws SluiceError 6003
 */
export function judgeChoice({ state, isLoadStarted }: TaskSituation): void {
  if (CHOOSING.includes(state) && !isLoadStarted) return;
  throw new SluiceError('SLUICE-6003', {
    detail: `choice of users in state ${state}: the task has been started`,
    remedy: 'Create another task; what this one brings to the target stays as it was chosen.',
  });
}
