import { Injectable } from '@nestjs/common';
import { type ObjectSelection, SluiceError, type TaskId } from '@sluice/contracts';
import { MetadataDatabase } from '@sluice/metadata';
import { type TaskSituation } from '@sluice/model';
import { type ConditionalOrigin } from './api/conditional.js';

/** Before anything was done on the source or the target: later the objects of a task are what was loaded. */
const EDITABLE: readonly TaskSituation['state'][] = ['configuring', 'start_failed'];

/** The objects that were chosen for a task. */
@Injectable()
export class TaskObjects {
  constructor(private readonly metadata: MetadataDatabase) {}

  /** @throws SluiceError 6002 */
  async get(taskId: TaskId): Promise<ObjectSelection> {
    const task = await this.metadata.tasks.find(taskId);
    if (!task) throw notFound(taskId);
    return task.objects;
  }

  /** @throws SluiceError 6002, 6003 once the task has begun, 6013. */
  async replace(taskId: TaskId, objects: ObjectSelection, by: ConditionalOrigin): Promise<ObjectSelection> {
    const after = await this.metadata.tasks.replaceObjects(
      taskId,
      { objects, judge: refuseBegun },
      { ...by, action: 'choose objects' },
    );
    if (!after) throw notFound(taskId);
    return after.objects;
  }
}

function refuseBegun({ state }: TaskSituation): void {
  if (EDITABLE.includes(state)) return;
  throw new SluiceError('SLUICE-6003', {
    detail: `objects are chosen before a task starts; this one is ${state}`,
    remedy: 'Create another task for other objects.',
  });
}

function notFound(taskId: TaskId): SluiceError {
  return new SluiceError('SLUICE-6002', { detail: `task ${taskId}` });
}
