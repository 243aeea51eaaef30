import { SluiceError } from '@sluice/contracts';
import { type TaskSituation, type TaskState } from '@sluice/model';

const OVER: readonly TaskState[] = ['ending', 'end_failed', 'ended', 'completed'];

/**
 * A limit is of the full load: it can be set until that is finished.
 * @throws SluiceError 6003
 */
export function judgeRateLimit({ state, isLoadFinished }: TaskSituation): void {
  if (!isLoadFinished && !OVER.includes(state)) return;
  throw new SluiceError('SLUICE-6003', {
    detail: `rate limit in state ${state}: ${isLoadFinished ? 'the full load is finished' : 'the task has no full load any more'}`,
    remedy: 'A rate limit is of the full load; set it before that is finished.',
  });
}
