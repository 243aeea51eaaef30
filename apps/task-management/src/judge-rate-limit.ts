import { decideAction, type TaskSituation } from '@sluice/model';
import { ActionRefusedError } from './action-refused-error.js';

/** @throws SluiceError 6003 with the allowed actions */
export function judgeRateLimit(situation: TaskSituation): void {
  const decision = decideAction(situation, { action: 'set_rate_limit' });
  if (decision !== 'deleted' && 'refused' in decision) {
    throw new ActionRefusedError('set_rate_limit', { state: situation.state, why: decision.refused });
  }
}
