import { type ObjectSelection, type ObjectsSummary, type TaskResource } from '@sluice/contracts';
import { type StoredTask } from '@sluice/metadata';
import { possibleActions } from '@sluice/model';
import { type LiveNumbers } from './live-progress.js';

/** A task as the API shows it; nothing secret is in a StoredTask. */
export function toTaskResource(task: StoredTask, { progress, delay }: LiveNumbers): TaskResource {
  const { situation } = task;
  return {
    id: task.id,
    projectId: task.projectId,
    name: task.name,
    description: task.description,
    syncType: task.syncType,
    state: situation.state,
    availableActions: [...possibleActions(situation)],
    source: task.source,
    target: task.target,
    incremental: task.incremental,
    users: task.users,
    objects: summarize(task.objects),
    rateLimit: task.rateLimit,
    epoch: situation.epoch,
    revision: task.revision,
    error: situation.error,
    connectionTest: situation.connectionTest,
    precheck: situation.precheck,
    progress,
    delay,
    createdAt: task.createdAt.toISOString(),
    updatedAt: task.updatedAt.toISOString(),
  };
}

function summarize(selection: ObjectSelection): ObjectsSummary {
  const { level, include = [], exclude = [] } = selection;
  return { level, listedCount: selection.level === 'table' ? selection.objects.length : 0, include, exclude };
}
