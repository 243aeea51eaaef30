import { type DesiredState, StageRun, type TaskEvent } from '@sluice/contracts';
import { type Decision, type Order, type TaskStage } from '@sluice/model';
import { randomUUID } from 'node:crypto';
import { type EntityManager, In } from 'typeorm';
import { OutboxMessageEntity } from './entities/outbox-message.entity.js';
import { TaskRunEntity } from './entities/task-run.entity.js';
import { TaskEntity } from './entities/task.entity.js';
import { situationColumns, toTaskSpec } from './mappers/task.mapper.js';
import { type OutboxMessage, type TraceHeaders } from './outbox-message.js';

export interface DecisionRows {
  /** The row as it was read, locked. */
  readonly task: TaskEntity;
  readonly openRuns: readonly TaskRunEntity[];
  readonly decision: Decision;
  readonly trace: TraceHeaders;
}

/**
 * Writes a decision inside the caller's transaction: the task, its runs, and what has to reach the bus.
 * The row of the task is locked by then, so that the outbox ids of one task rise in the order of its decisions.
 */
export async function writeDecision(manager: EntityManager, rows: DecisionRows): Promise<void> {
  const { task, decision, trace } = rows;
  const at = new Date();
  const { situation } = decision;
  const opened: { readonly stage: TaskStage; readonly run: StageRun }[] = [];
  const messages: OutboxMessage[] = [];
  for (const order of decision.orders) {
    const message = toMessage(order, task, situation.epoch);
    messages.push(message);
    if (order.kind === 'run' && message.kind === 'run') opened.push({ stage: order.stage, run: message.run });
  }
  const desired = messages.findLast((message) => message.kind === 'desire')?.desired;
  await manager.update(TaskEntity, task.id, {
    ...situationColumns(situation),
    ...(desired && { desired }),
    revision: () => 'revision + 1',
    updatedAt: at,
  });
  await closeRuns(manager, rows, at);
  for (const { stage, run } of opened) {
    const { runId, epoch } = run;
    const state = { isRecovering: false, lastSignAt: null, endedAt: null };
    await manager.insert(TaskRunEntity, {
      runId,
      taskId: task.id,
      stage,
      epoch,
      message: run,
      trace,
      createdAt: at,
      ...state,
    });
  }
  if (situation.state !== task.state) messages.push({ kind: 'task-event', event: stateChange(rows, at) });
  await enqueue(manager, task.id, { messages, trace });
}

async function closeRuns(manager: EntityManager, { openRuns, decision }: DecisionRows, at: Date): Promise<void> {
  const still = new Map(decision.situation.openRuns.map((run) => [run.runId, run]));
  const ended = openRuns.filter(({ runId }) => !still.has(runId)).map(({ runId }) => runId);
  if (ended.length > 0) await manager.update(TaskRunEntity, { runId: In(ended) }, { endedAt: at });
  for (const before of openRuns) {
    const now = still.get(before.runId);
    if (!now || (now.isRecovering === before.isRecovering && now.lastSignAt === before.lastSignAt)) continue;
    await manager.update(TaskRunEntity, before.runId, { isRecovering: now.isRecovering, lastSignAt: now.lastSignAt });
  }
}

export async function enqueue(
  manager: EntityManager,
  taskId: string,
  { messages, trace }: { readonly messages: readonly OutboxMessage[]; readonly trace: TraceHeaders },
): Promise<void> {
  const createdAt = new Date();
  // One statement per message: identity values of a multi-row INSERT are not promised to follow its order.
  for (const message of messages) {
    await manager.insert(OutboxMessageEntity, { taskId, message, trace, createdAt, sentAt: null });
  }
}

function toMessage(order: Order, task: TaskEntity, epoch: number): OutboxMessage {
  switch (order.kind) {
    case 'run':
      return {
        kind: 'run',
        run: StageRun.parse({ version: 1, runId: randomUUID(), epoch, task: toTaskSpec(task), stage: order.stage }),
      };
    case 'desire': {
      const until = order.untilLsn === null ? {} : { untilLsn: order.untilLsn };
      const desired: DesiredState = { version: 1, desired: order.desired, epoch, rateLimit: task.rateLimit, ...until };
      return { kind: 'desire', desired };
    }
    case 'delete-changes':
    case 'forget':
      return { kind: order.kind };
  }
}

function stateChange({ task, decision }: DecisionRows, at: Date): TaskEvent {
  return {
    version: 1,
    eventId: randomUUID(),
    taskId: task.id,
    taskName: task.name,
    from: task.state,
    to: decision.situation.state,
    error: decision.situation.error,
    at: at.toISOString(),
  };
}
