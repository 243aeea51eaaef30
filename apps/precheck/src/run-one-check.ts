import { type CheckReport } from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { type Check } from './check.js';
import { type Endpoints } from './lanes.js';
import { type PrecheckOptions, runPrechecks } from './run-prechecks.js';

/** The report of one check alone, whatever it depends on. */
export async function runOneCheck(
  check: Check,
  endpoints: Endpoints,
  options: Pick<PrecheckOptions, 'selection'> = {},
): Promise<CheckReport> {
  const { checks } = await runPrechecks(endpoints, { ...options, checks: [check] });
  return present(checks[0], `report of ${check.id}`);
}
