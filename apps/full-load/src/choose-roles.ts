import { SluiceError } from '@sluice/contracts';
import { type Secret } from '@sluice/kernel';
import { planRoles, readPasswordHashes, type RefusedRole, type RolePlan } from '@sluice/postgres-schema';
import { type Load } from './load-context.js';

export interface ChosenRoles {
  readonly plan: RolePlan;
  readonly passwords: ReadonlyMap<string, Secret>;
}

/** More would not help a person. */
const REFUSED_SHOWN_MAX = 20;

/**
 * The roles that the task brings along, as the snapshot sees them; `null` when it brings none.
 * @throws SluiceError 3020 when one that was named cannot come, as its precheck would say.
 */
export async function chooseRoles({ source, target, run, log }: Load): Promise<ChosenRoles | null> {
  const { users } = run.task;
  if (users.roles.length === 0) return null;
  const plan = await planRoles({ source, target }, users);
  if (users.roles !== 'all' && plan.refused.length > 0) throw refusal(plan.refused);
  if (plan.refused.length > 0)
    log.info({ roles: plan.refused.length }, 'roles that cannot be synchronized are left out');
  for (const { identity, reason } of plan.omitted)
    log.warn({ identity, reason }, 'property of a role is not transferred');
  const names = plan.roles.map(({ name }) => name);
  return { plan, passwords: users.passwords ? await readPasswordHashes(source, names) : new Map() };
}

function refusal(refused: readonly RefusedRole[]): SluiceError {
  const shown = refused
    .slice(0, REFUSED_SHOWN_MAX)
    .map(({ name, obstacles, isMissing }) =>
      isMissing
        ? `${name}: the source has no such role`
        : `${name}: ${obstacles.map(({ reason }) => reason).join(', ')}`,
    );
  const more = refused.length > REFUSED_SHOWN_MAX ? `; and ${refused.length - REFUSED_SHOWN_MAX} more` : '';
  return new SluiceError('SLUICE-3020', { detail: `${shown.join('; ')}${more}` });
}
