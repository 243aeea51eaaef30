import {
  type CheckReport,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
  type ObjectSelection,
  type PrecheckResult,
  SluiceError,
  type SyncType,
  type UserOptions,
} from '@sluice/contracts';
import { assert } from '@sluice/kernel';
import { judgeObjects } from '@sluice/model';
import { readServerFacts } from '@sluice/postgres-catalog';
import { connect, isConnectionLoss } from '@sluice/postgres-client';
import { type Check, type CheckContext } from './check.js';
import { CHECKS } from './checks.js';
import { type Endpoints, type Lane, Lanes, sessionOptions } from './lanes.js';
import { type Plans, readPlansOnce } from './read-plans.js';

export interface PrecheckOptions {
  /** Checks that other kinds of tasks need are left out; default `full_and_incremental`. */
  readonly syncType?: SyncType;
  /** What the capture of DDL would be called on the source; default: DDL is not synchronized. */
  readonly ddlCapture?: CheckContext['ddlCapture'];
  /** Which roles come along; default: none. */
  readonly users?: UserOptions;
  /** Default: everything. */
  readonly selection?: ObjectSelection;
  readonly signal?: AbortSignal;
  /** Default: all. */
  readonly checks?: readonly Check[];
  /** For one check; default 30 000. */
  readonly checkTimeoutMs?: number;
  /** Checks that run at the same time, each with one session per side; default 4. */
  readonly parallelMax?: number;
}

const CHECK_TIMEOUT_MS = 30_000;
/** Half of what a small server keeps free; more is not faster, as no check takes long. */
const PARALLEL_MAX = 4;

/**
 * Runs the checks and changes nothing on either server. A check that fails for a reason of its own is reported as
 * failed; only a lost connection rejects, so that the whole run can be repeated.
 */
export async function runPrechecks(endpoints: Endpoints, options: PrecheckOptions = {}): Promise<PrecheckResult> {
  const { syncType = 'full_and_incremental', ddlCapture = null } = options;
  const { users = DEFAULT_USER_OPTIONS, selection = EVERYTHING } = options;
  const judge = judgeObjects(selection);
  await using lanes = new Lanes(endpoints, {
    count: options.parallelMax ?? PARALLEL_MAX,
    timeoutMs: options.checkTimeoutMs ?? CHECK_TIMEOUT_MS,
  });
  const facts = await lanes.use(async ({ source, target }) => {
    const [sourceFacts, targetFacts] = await Promise.all([readServerFacts(source), readServerFacts(target)]);
    return { syncType, ddlCapture, users, selection, judge, sourceFacts, targetFacts };
  });
  const plans = readPlansOnce({ users, judge });
  const onTarget: CheckContext['onTarget'] = async (work) => {
    await using client = await connect(endpoints.target, sessionOptions());
    return await work(client);
  };
  const surroundings = { facts: { ...facts, onTarget }, plans, lanes, signal: options.signal };
  const reports = new Map<string, Promise<CheckReport>>();
  for (const check of checksFor(options.checks ?? CHECKS, syncType)) {
    const dependencies = (check.dependsOn ?? []).flatMap((id) => reports.get(id) ?? []);
    reports.set(check.id, runWhenReady(check, { ...surroundings, dependencies }));
  }
  // All of them are waited for before the lanes close, also when one rejects.
  const settled = await Promise.allSettled(reports.values());
  const checks = settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  return { passed: checks.every(({ outcome }) => outcome === 'passed' || outcome === 'warning'), checks };
}

function checksFor(checks: readonly Check[], syncType: SyncType): Check[] {
  const listed = new Set<string>();
  for (const { id, dependsOn = [] } of checks) {
    const isOutOfOrder = dependsOn.some((needed) => !listed.has(needed) && checks.some((other) => other.id === needed));
    assert(!isOutOfOrder && !listed.has(id), `check ${id} must be listed once and after those it depends on`);
    listed.add(id);
  }
  return checks.filter(({ onlyFor }) => onlyFor === undefined || onlyFor.includes(syncType));
}

interface Surroundings {
  readonly dependencies: readonly Promise<CheckReport>[];
  readonly facts: Omit<CheckContext, keyof Lane | 'structure' | 'rolePlan'>;
  readonly plans: Plans;
  readonly lanes: Lanes;
  readonly signal: AbortSignal | undefined;
}

async function runWhenReady(check: Check, surroundings: Surroundings): Promise<CheckReport> {
  const { id, title } = check;
  const { dependencies, facts, plans, lanes, signal } = surroundings;
  const failures = (await Promise.all(dependencies)).filter(({ outcome }) => ['failed', 'blocked'].includes(outcome));
  signal?.throwIfAborted();
  if (failures.length > 0) {
    const names = failures.map((report) => report.id).join(', ');
    return {
      id,
      title,
      outcome: 'blocked',
      evidence: 'not run',
      reason: `It says nothing while another check fails: ${names}.`,
      fix: 'Fix that one first, then run the checks again.',
    };
  }
  try {
    const finding = await lanes.use(
      (lane) =>
        check.run({ ...lane, ...facts, structure: () => plans.structure(lane), rolePlan: () => plans.roles(lane) }),
      check.timeoutMs,
    );
    return { id, title, ...finding };
  } catch (error) {
    if (isFailedConnect(error)) throw error;
    if (isConnectionLoss(error)) {
      throw new SluiceError('SLUICE-1012', { detail: `during check ${id}: ${messageOf(error)}`, cause: error });
    }
    return { id, title, outcome: 'failed', ...describeFailure(error) };
  }
}

/** A further lane could not be opened. A check that ran out of time has code 1002 too, and no cause. */
function isFailedConnect(error: unknown): boolean {
  return error instanceof SluiceError && error.code.startsWith('SLUICE-1') && error.cause !== undefined;
}

function describeFailure(error: unknown): Pick<CheckReport, 'evidence' | 'reason' | 'fix'> {
  return {
    evidence: error instanceof SluiceError ? error.detail : messageOf(error),
    reason: 'The check itself could not be completed, so nothing is known.',
    fix: 'Grant what the message names, or wait until the server answers faster, then run the checks again.',
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
