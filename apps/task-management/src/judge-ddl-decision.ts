import { type DdlDecision, SluiceError } from '@sluice/contracts';
import { parseLsn, type TaskSituation } from '@sluice/model';

const CODES: readonly string[] = ['SLUICE-5013', 'SLUICE-5014', 'SLUICE-5016'];

/**
 * A decision counts for the DDL that stands in the way now: one that was made in advance, or too late, would be carried
 * out on something that nobody has looked at.
 * @throws SluiceError 6003
 */
export function judgeDdlDecision({ state, error }: TaskSituation, decision: DdlDecision): void {
  const refuse = (why: string): never => {
    throw new SluiceError('SLUICE-6003', {
      detail: `decision on a DDL in state ${state}: ${why}`,
      remedy: 'Read the task: its error says which DDL waits for a decision, if one does.',
    });
  };
  if ((state !== 'incremental_failed' && state !== 'end_failed') || !error || !CODES.includes(error.code))
    return refuse('no DDL waits for one');
  const { commitLsn = '0/0', number } = error.evidence ?? {};
  const isSame = parseLsn(commitLsn) === parseLsn(decision.commitLsn) && number === String(decision.number);
  if (!isSame) refuse(`the DDL that waits is number ${number ?? '?'} of the transaction that commits at ${commitLsn}`);
}
