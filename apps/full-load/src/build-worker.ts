import { type StageRunOf } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';
import { connectTarget, runBuildStep } from '@sluice/postgres-snapshot';
import { killPoint, type WorkOutcome } from '@sluice/service-runtime';
import { type FullLoadConfig } from './full-load.config.js';
import { SessionPool } from './session-pool.js';
import { type FindDatabases } from './task-databases.js';

export type BuildSettings = Pick<
  FullLoadConfig,
  'SLUICE_FULL_LOAD_MAINTENANCE_MB' | 'SLUICE_FULL_LOAD_PARALLEL_MAINTENANCE'
>;

export function buildSessions(findDatabases: FindDatabases, config: BuildSettings): SessionPool<Client> {
  return new SessionPool(async (taskId) => {
    const { target } = await findDatabases(taskId);
    const session = await connectTarget(target, {
      applicationName: `build ${taskId}`,
      settings: { check_function_bodies: 'off' },
    });
    // Names that a server does not know are left out; set after the start, where they would end the connection.
    await session.query(
      `SELECT pg_catalog.set_config(s.name, w.value, false)
       FROM pg_catalog.pg_settings s JOIN jsonb_each_text($1) AS w(name, value) ON w.name = s.name`,
      [
        JSON.stringify({
          maintenance_work_mem: `${config.SLUICE_FULL_LOAD_MAINTENANCE_MB}MB`,
          max_parallel_maintenance_workers: String(config.SLUICE_FULL_LOAD_PARALLEL_MAINTENANCE),
        }),
      ],
    );
    return session;
  });
}

/** Executes one statement of the structure after the data. */
export async function buildOne(
  run: StageRunOf<'build'>,
  { sessions, signal }: { readonly sessions: SessionPool<Client>; readonly signal: AbortSignal },
): Promise<WorkOutcome> {
  await sessions.use(run.task.taskId, signal, (target) =>
    runBuildStep(target, run.stepId, () => killPoint('build-before-commit')),
  );
  return { kind: 'done' };
}
