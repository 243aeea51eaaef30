import { randomUUID } from 'node:crypto';
import {
  helperObjectName,
  type Stage,
  StageRun,
  type StageRunOf,
  type TaskSpec,
  DEFAULT_INCREMENTAL_OPTIONS,
  DEFAULT_USER_OPTIONS,
  EVERYTHING,
} from '@sluice/contracts';
import { createLogger } from '@sluice/telemetry';
import { type Bus, connectBus } from './bus.js';

/** A bus for specs: connected, quiet, with its topology. */
export async function specBus(url: string): Promise<Bus> {
  const bus = await connectBus({ servers: url, name: 'spec', log: createLogger({ service: 'spec', level: 'silent' }) });
  await bus.ensureTopology();
  return bus;
}

export function specTask(taskId: string = randomUUID()): TaskSpec {
  const name = helperObjectName(taskId);
  return {
    taskId,
    name: 'spec-task',
    syncType: 'full_and_incremental',
    slotName: name,
    publicationName: name,
    incremental: DEFAULT_INCREMENTAL_OPTIONS,
    objects: EVERYTHING,
    ddlDecisions: [],
    users: DEFAULT_USER_OPTIONS,
  };
}

export function specRun<S extends Exclude<Stage, 'copy' | 'build'>>(stage: S, epoch = 1): StageRunOf<S> {
  const run = StageRun.parse({ version: 1, runId: randomUUID(), epoch, task: specTask(), stage });
  return run as StageRunOf<S>;
}
