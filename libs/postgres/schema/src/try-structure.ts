import { type ClientBase } from 'pg';
import { lockRemedyFor, STRUCTURE_SETTINGS } from './apply-pre-data.js';
import { type Statement, type StructurePlan } from './plan.js';
import { createRoles } from './roles/create-roles.js';
import { type RolePlan } from './roles/plan-roles.js';

/** A statement of the plan that the target refuses. */
export interface RefusedStatement {
  readonly kind: string;
  readonly identity: string;
  readonly message: string;
  /** Where the server's message does not say what to do. */
  readonly remedy: string | null;
}

/** What fails after it mostly fails because of it, and more would not help a person. */
const REFUSED_MAX = 50;

export interface TrialOptions {
  /** Created before, as the plan counts on them. */
  readonly roles?: RolePlan | null;
  readonly signal?: AbortSignal;
}

/**
 * Runs the plan on the target in a transaction that is rolled back, and tells what it refuses. No row is touched, and
 * materialized views stay empty, so that nothing of the user's runs. The session must not be in a transaction.
 * @throws SluiceError 3020 when a role cannot be created.
 */
export async function tryStructure(
  target: ClientBase,
  plan: StructurePlan,
  { roles = null, signal }: TrialOptions = {},
): Promise<RefusedStatement[]> {
  const statements = [...plan.preData, ...plan.postData.filter(({ phase }) => phase !== 'refresh')];
  const trial = { target, plan, roles, statements, ...(signal && { signal }) };
  // Thousands of savepoints would slow down everybody on the target: they are taken only where something is refused.
  const first = await runTrial(trial, { withSavepoints: false });
  return first.length === 0 ? [] : runTrial(trial, { withSavepoints: true });
}

interface Trial {
  readonly target: ClientBase;
  readonly plan: StructurePlan;
  readonly roles: RolePlan | null;
  readonly statements: readonly Statement[];
  readonly signal?: AbortSignal;
}

async function runTrial(
  { target, plan, roles, statements, signal }: Trial,
  { withSavepoints }: { readonly withSavepoints: boolean },
): Promise<RefusedStatement[]> {
  const refused: RefusedStatement[] = [];
  await target.query('BEGIN');
  try {
    // Without their passwords, which nothing that is tried asks for.
    if (roles) await createRoles(target, roles, new Map());
    await target.query(STRUCTURE_SETTINGS);
    for (const { kind, identity, sql } of statements) {
      signal?.throwIfAborted();
      if (withSavepoints) await target.query('SAVEPOINT statement');
      try {
        await target.query(sql);
      } catch (error) {
        const remedy = lockRemedyFor(error, plan);
        refused.push({ kind, identity, message: error instanceof Error ? error.message : String(error), remedy });
        if (!withSavepoints || remedy !== null || refused.length >= REFUSED_MAX) break;
        await target.query('ROLLBACK TO statement');
      }
      if (withSavepoints) await target.query('RELEASE statement');
    }
  } finally {
    await target.query('ROLLBACK');
  }
  return refused;
}
