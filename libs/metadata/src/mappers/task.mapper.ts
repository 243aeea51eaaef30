import { type EndpointInput, helperObjectName, type TaskSpec } from '@sluice/contracts';
import { NEW_TASK, type TaskSituation } from '@sluice/model';
import { type TaskRunEntity } from '../entities/task-run.entity.js';
import { TaskEntity } from '../entities/task.entity.js';
import { type NewTask, type StoredTask, type TaskEndpoints } from '../stored-task.js';

export interface TaskRows {
  readonly task: TaskEntity;
  /** Those that are open. */
  readonly runs: readonly TaskRunEntity[];
  readonly endpoints: TaskEndpoints;
}

export function toStoredTask({ task, runs, endpoints }: TaskRows): StoredTask {
  return {
    id: task.id,
    projectId: task.projectId,
    name: task.name,
    description: task.description,
    syncType: task.syncType,
    incremental: task.incremental,
    users: task.users,
    objects: task.objects,
    rateLimit: task.rateLimit,
    situation: toSituation(task, runs),
    revision: task.revision,
    source: toView(endpoints.source),
    target: toView(endpoints.target),
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
  };
}

export function toSituation(task: TaskEntity, runs: readonly TaskRunEntity[]): TaskSituation {
  return {
    state: task.state,
    epoch: task.epoch,
    syncType: task.syncType,
    isLoadStarted: task.isLoadStarted,
    isLoadFinished: task.isLoadFinished,
    isDraining: task.isDraining,
    untilLsn: task.untilLsn,
    openRuns: runs.map(({ runId, stage, isRecovering, lastSignAt }) => ({ runId, stage, isRecovering, lastSignAt })),
    error: task.error,
    connectionTest: task.connectionTest,
    precheck: task.precheck,
  };
}

/** The columns of `tasks` that a decision changes. */
export function situationColumns(situation: TaskSituation): Omit<TaskSituation, 'openRuns' | 'syncType'> {
  const { openRuns: _runs, syncType: _fixed, ...columns } = situation;
  return columns;
}

export function toNewEntity(task: NewTask, { id, at }: { readonly id: string; readonly at: Date }): TaskEntity {
  const { projectId, name, description, syncType, incremental, users, objects, rateLimit } = task;
  return Object.assign(new TaskEntity(), {
    id,
    projectId,
    name,
    description,
    syncType,
    incremental,
    users,
    objects,
    rateLimit,
    ddlDecisions: [],
    ...situationColumns({ ...NEW_TASK, syncType }),
    desired: null,
    revision: 1,
    createdAt: at,
    updatedAt: at,
  });
}

export function toTaskSpec({
  id,
  name,
  syncType,
  incremental,
  users,
  objects,
  ddlDecisions,
}: Pick<TaskEntity, 'id' | 'name' | 'syncType' | 'incremental' | 'users' | 'objects' | 'ddlDecisions'>): TaskSpec {
  const helperName = helperObjectName(id);
  return {
    taskId: id,
    name,
    syncType,
    slotName: helperName,
    publicationName: helperName,
    incremental,
    users,
    objects,
    ddlDecisions,
  };
}

function toView({ host, port, database, user, tls }: EndpointInput): StoredTask['source'] {
  return { host, port, database, user, tlsMode: tls.mode };
}
