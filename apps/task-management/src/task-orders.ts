import { Injectable } from '@nestjs/common';
import {
  type CreateTaskRequest,
  type DdlDecision,
  type EndTaskRequest,
  type NameCheck,
  type ProjectId,
  type RateLimit,
  SluiceError,
  type TaskId,
  TaskName,
  type TaskResource,
  type UserOptions,
} from '@sluice/contracts';
import { type CreateOptions, MetadataDatabase, type Page, type StoredTask, type TaskQuery } from '@sluice/metadata';
import { ACTIONS, decideAction, type TaskAction, type TaskSituation } from '@sluice/model';
import { type ConditionalOrigin } from './api/conditional.js';
import { ActionRefusedError } from './action-refused-error.js';
import { judgeChoice } from './judge-choice.js';
import { judgeDdlDecision } from './judge-ddl-decision.js';
import { judgeRateLimit } from './judge-rate-limit.js';
import { LiveProgress } from './live-progress.js';
import { OutboxDispatcher } from './outbox-dispatcher.js';
import { toTaskResource } from './task-resource.js';

export interface Order {
  readonly action: TaskAction;
  readonly by: ConditionalOrigin;
  readonly end?: EndTaskRequest;
}

/** What people order: each call is decided by the state table on the locked row, and audited with its change. */
@Injectable()
export class TaskOrders {
  constructor(
    private readonly metadata: MetadataDatabase,
    private readonly progress: LiveProgress,
    private readonly outbox: OutboxDispatcher,
  ) {}

  async create(
    { source, target, ...request }: CreateTaskRequest & { readonly projectId: ProjectId },
    options: CreateOptions,
  ): Promise<{ readonly task: TaskResource; readonly isReplay: boolean }> {
    const task = { ...request, endpoints: { source, target } };
    const created = await this.metadata.creator.create(task, options);
    this.outbox.kick();
    return { task: await this.get(created.taskId), isReplay: created.isReplay };
  }

  async checkName(name: string, projectId: ProjectId): Promise<NameCheck> {
    if (!TaskName.safeParse(name).success) return { name, isAvailable: false, reason: 'malformed' };
    const isTaken = await this.metadata.tasks.isNameTaken(projectId, name);
    return { name, isAvailable: !isTaken, reason: isTaken ? 'taken' : null };
  }

  /** @throws SluiceError 6002 */
  async get(taskId: TaskId): Promise<TaskResource> {
    return this.#show(await this.#find(taskId));
  }

  async list(query: TaskQuery): Promise<Page<TaskResource>> {
    const { items, nextCursor } = await this.metadata.tasks.list(query);
    return { items: items.map((task) => this.#show(task)), nextCursor };
  }

  #show(task: StoredTask): TaskResource {
    return toTaskResource(task, this.progress.of(task.id));
  }

  /** @throws SluiceError 6002, 6003 with the allowed actions, 6006 when another order was faster, 6013. */
  async act(taskId: TaskId, order: Order): Promise<TaskResource> {
    const before = await this.#find(taskId);
    const options = { ...order.by, action: order.action, expected: before.situation };
    const after = await this.metadata.tasks.transition(taskId, (situation) => decide(situation, order), options);
    if (!after) throw notFound(taskId);
    this.outbox.kick();
    return this.#show(after);
  }

  /** @throws SluiceError 6002, 6003 when no such DDL waits for a decision. */
  async decideDdl(taskId: TaskId, decision: DdlDecision, by: ConditionalOrigin): Promise<TaskResource> {
    const action = `decide DDL: ${decision.decision}`;
    const judge = (situation: TaskSituation): void => judgeDdlDecision(situation, decision);
    const after = await this.metadata.tasks.addDdlDecision(taskId, { decision, judge }, { ...by, action });
    if (!after) throw notFound(taskId);
    return this.#show(after);
  }

  /** @throws SluiceError 6002, 6003 once the task has been started. */
  async chooseUsers(taskId: TaskId, users: UserOptions, by: ConditionalOrigin): Promise<TaskResource> {
    const after = await this.metadata.tasks.chooseUsers(
      taskId,
      { users, judge: judgeChoice },
      { ...by, action: 'choose users' },
    );
    if (!after) throw notFound(taskId);
    return this.#show(after);
  }

  /** @throws SluiceError 6002, 6003 when the task has no load any more. */
  async setRateLimit(taskId: TaskId, rateLimit: RateLimit, by: ConditionalOrigin): Promise<TaskResource> {
    const after = await this.metadata.tasks.setRateLimit(
      taskId,
      { rateLimit, judge: judgeRateLimit },
      { ...by, action: 'set rate limit' },
    );
    if (!after) throw notFound(taskId);
    this.outbox.kick();
    return this.#show(after);
  }

  async remove(taskId: TaskId, by: ConditionalOrigin): Promise<void> {
    const before = await this.#find(taskId);
    const options = { ...by, action: 'delete', expected: before.situation };
    const cell = ACTIONS[before.situation.state].delete;
    if ('refused' in cell) throw refused('delete', before.situation, cell.refused);
    if (!(await this.metadata.tasks.remove(taskId, options))) throw notFound(taskId);
    this.outbox.kick();
  }

  async #find(taskId: TaskId): Promise<StoredTask> {
    const task = await this.metadata.tasks.find(taskId);
    if (!task) throw notFound(taskId);
    return task;
  }
}

function decide(
  situation: TaskSituation,
  { action, end }: Order,
): Exclude<ReturnType<typeof decideAction>, string | { refused: string }> {
  const decision = decideAction(situation, { action, untilLsn: end?.untilLsn });
  if (decision === 'deleted') throw refused(action, situation, 'a task is deleted with DELETE');
  if ('refused' in decision) throw refused(action, situation, decision.refused);
  return decision;
}

function refused(action: TaskAction, { state }: TaskSituation, why: string): ActionRefusedError {
  return new ActionRefusedError(action, { state, why });
}

function notFound(taskId: TaskId): SluiceError {
  return new SluiceError('SLUICE-6002', { detail: `task ${taskId}` });
}
