import { type RefusedStatement, tryStructure } from '@sluice/postgres-schema';
import { type Check, failed, listSome, passed, statements } from '../check.js';

/** Ten thousand tables with their indexes take minutes. A trial that runs longer says so instead of nothing. */
const TRIAL_TIMEOUT_MS = 600_000;

export const targetStructure: Check = {
  id: 'target-structure',
  title: 'Target accepts every object that is to be created',
  dependsOn: [
    'not-same-database',
    'target-version',
    'target-writable',
    'target-privileges',
    'target-empty',
    'target-extensions',
    'selection-closed',
    'users',
    'names',
  ],
  onlyFor: ['full_and_incremental', 'full'],
  timeoutMs: TRIAL_TIMEOUT_MS,
  run: async ({ structure, rolePlan, onTarget }) => {
    const [plan, roles] = [await structure(), await rolePlan()];
    const signal = AbortSignal.timeout(TRIAL_TIMEOUT_MS);
    const refused = await onTarget((target) => tryStructure(target, plan, { roles, signal }));
    if (refused.length === 0) {
      return passed(`${plan.preData.length + plan.postData.length} statements were tried and taken back`);
    }
    return failed({
      evidence: listSome(refused.map(({ identity, message }) => `${identity}: ${message}`)),
      reason: 'All were tried in a transaction that was rolled back. The load would stop at the first of them.',
      fix: statements(refused.map(fixOf)),
    });
  },
};

function fixOf({ identity, remedy }: RefusedStatement): string {
  return `-- ${remedy ?? `give the target what ${identity} needs, or change or drop it on the source`}`;
}
