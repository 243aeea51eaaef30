import { type StageRunOf } from '@sluice/contracts';
import {
  type ChunkSessions,
  connectSource,
  connectTarget,
  copyChunk,
  recordChunkError,
} from '@sluice/postgres-snapshot';
import { errorReport, killPoint, type WorkOutcome } from '@sluice/service-runtime';
import { classifyLoadError, isSnapshotLost } from './load-errors.js';
import { SessionPool } from './session-pool.js';
import { type FindDatabases } from './task-databases.js';

type CopySessions = ChunkSessions & AsyncDisposable;

/** The coordinator finds the running copies of its task by it. */
export function copySessionName(taskId: string): string {
  return `copy ${taskId}`;
}

export function copySessions(findDatabases: FindDatabases): SessionPool<CopySessions> {
  return new SessionPool(async (taskId) => {
    const databases = await findDatabases(taskId);
    const applicationName = copySessionName(taskId);
    const source = await connectSource(databases.source, { applicationName });
    try {
      const target = await connectTarget(databases.target, {
        applicationName,
        // A commit that a crash loses takes the chunk's mark along with its rows (I5).
        settings: { synchronous_commit: 'off' },
      });
      const close = async (): Promise<void> => void (await Promise.allSettled([source.end(), target.end()]));
      return { source, target, [Symbol.asyncDispose]: close };
    } catch (error) {
      await source.end();
      throw error;
    }
  });
}

export interface CopyOptions {
  readonly sessions: SessionPool<CopySessions>;
  readonly signal: AbortSignal;
  /** Whether owners and privileges of roles that the target has are transferred. */
  readonly existingRoles: boolean;
}

/** Works on one chunk. */
export async function copyOne(
  run: StageRunOf<'copy'>,
  { sessions, signal, existingRoles }: CopyOptions,
): Promise<WorkOutcome> {
  const { taskId, users } = run.task;
  const { chunkId } = run;
  const roles = { existing: existingRoles, privilegesOfCreated: users.privileges };
  await sessions.use(taskId, signal, async (pair) => {
    try {
      await copyChunk(pair, { chunkId, signal, roles, passing: (moment) => killPoint(`copy-${moment}`) });
    } catch (error) {
      if (!isSnapshotLost(error)) throw error;
      // Not worth a retry: the coordinator orders a new snapshot, and other chunks.
      await pair.target.query('ROLLBACK');
      await recordChunkError(
        pair.target,
        { chunkId, taskId },
        { ...errorReport(classifyLoadError(error)), epoch: run.epoch },
      );
    }
  });
  return { kind: 'done' };
}
