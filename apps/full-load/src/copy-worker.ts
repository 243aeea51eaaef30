import { type StageRunOf } from '@sluice/contracts';
import {
  type ChunkSessions,
  connectSource,
  connectTarget,
  copyChunk,
  recordChunkError,
  TokenBucket,
} from '@sluice/postgres-snapshot';
import { errorReport, killPoint, type WorkOutcome } from '@sluice/service-runtime';
import { type CopyOrderBook, type CopyOrders } from './copy-orders.js';
import { classifyLoadError, isSnapshotLost, StopOrdered } from './load-errors.js';
import { SessionPool } from './session-pool.js';
import { type FindDatabases } from './task-databases.js';

/** What a session passed stays counted from one chunk to the next. */
type CopySessions = ChunkSessions & AsyncDisposable & { readonly orders: CopyOrders; readonly bucket: TokenBucket };

/** The coordinator finds the running copies of its task by it. */
export function copySessionName(taskId: string): string {
  return `copy ${taskId}`;
}

export function copySessions(findDatabases: FindDatabases, book: CopyOrderBook): SessionPool<CopySessions> {
  return new SessionPool(async (taskId) => {
    const databases = await findDatabases(taskId);
    const applicationName = copySessionName(taskId);
    await using stack = new AsyncDisposableStack();
    const source = stack.use(await connectSource(databases.source, { applicationName }));
    const target = stack.use(
      await connectTarget(databases.target, {
        applicationName,
        // A commit that a crash loses takes the chunk's mark along with its rows (I5).
        settings: { synchronous_commit: 'off' },
      }),
    );
    const orders = stack.use(await book.join(taskId));
    const opened = stack.move();
    const close = (): Promise<void> => opened.disposeAsync();
    return { source, target, orders, bucket: new TokenBucket(), [Symbol.asyncDispose]: close };
  });
}

export interface CopyOptions {
  readonly sessions: SessionPool<CopySessions>;
  readonly signal: AbortSignal;
  /** Whether owners and privileges of roles that the target has are transferred. */
  readonly existingRoles: boolean;
}

/** Works on one chunk, until it is done or the task has to stop: what is unfinished then starts over. */
export async function copyOne(
  run: StageRunOf<'copy'>,
  { sessions, signal, existingRoles }: CopyOptions,
): Promise<WorkOutcome> {
  const { taskId } = run.task;
  try {
    await sessions.use(taskId, signal, (session) => copyUnderOrders(run, session, { signal, existingRoles }));
  } catch (error) {
    // Thrown through the pool, which closes the sessions that were in the middle of it.
    if (!(error instanceof StopOrdered)) throw error;
  }
  return { kind: 'done' };
}

async function copyUnderOrders(
  run: StageRunOf<'copy'>,
  session: CopySessions,
  { signal, existingRoles }: Omit<CopyOptions, 'sessions'>,
): Promise<void> {
  const { target, orders, bucket } = session;
  const { chunkId } = run;
  using stop = orders.stopOf(run.epoch);
  try {
    await copyChunk(session, {
      chunkId,
      signal: AbortSignal.any([signal, stop.signal]),
      roles: { existing: existingRoles, privilegesOfCreated: run.task.users.privileges },
      throttle: {
        passed: (bytes) => bucket.take(bytes),
        waitMs: () => bucket.waitMs(orders.share()),
      },
      passing: (moment) => killPoint(`copy-${moment}`),
    });
  } catch (error) {
    if (stop.signal.aborted) throw new StopOrdered('the task was ordered to pause or end');
    if (!isSnapshotLost(error)) throw error;
    // Not worth a retry: the coordinator orders a new snapshot, and other chunks.
    await target.query('ROLLBACK');
    await recordChunkError(
      target,
      { chunkId, taskId: run.task.taskId },
      { ...errorReport(classifyLoadError(error)), epoch: run.epoch },
    );
  }
}
