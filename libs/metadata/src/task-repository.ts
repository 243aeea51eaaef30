import {
  type DdlDecision,
  type ObjectSelection,
  type ProjectId,
  type RateLimit,
  SluiceError,
  type StageRun,
  type TaskId,
  type UserOptions,
} from '@sluice/contracts';
import { present } from '@sluice/kernel';
import { type Decision, type TaskSituation, type TaskState } from '@sluice/model';
import { type DataSource, type EntityManager, In, IsNull } from 'typeorm';
import { type AuditEntry, type AuditLog } from './audit-log.js';
import { type CredentialVault } from './credential-vault.js';
import { enqueue, writeDecision } from './decision-writer.js';
import { TaskCredentialsEntity } from './entities/task-credentials.entity.js';
import { TaskRunEntity } from './entities/task-run.entity.js';
import { TaskEntity } from './entities/task.entity.js';
import { toSituation, toStoredTask } from './mappers/task.mapper.js';
import { type OutboxMessage, type TraceHeaders } from './outbox-message.js';
import { type Origin, type StoredTask } from './stored-task.js';
import { readTaskPage, type TaskPage, type TaskQuery } from './task-page.js';

/** Refuses, by throwing, a change that the situation of the task does not allow. */
type Judge = (situation: TaskSituation) => void;

interface Change {
  readonly set: Partial<Pick<TaskEntity, 'ddlDecisions' | 'users' | 'objects' | 'rateLimit' | 'desired'>>;
  readonly audit: Pick<AuditEntry, 'before' | 'after'>;
  readonly messages?: readonly OutboxMessage[];
}

export interface TransitionOptions {
  readonly origin: Origin;
  /** Recorded in the audit in the same transaction; absent for events of workers. */
  readonly action?: string;
  /** The state and epoch on which a person decided; if the row has moved on, nothing is changed. */
  readonly expected?: { readonly state: TaskState; readonly epoch: number };
  /** The revisions on which a person decided, any when absent. */
  readonly ifRevisions?: readonly number[] | undefined;
}

/** An open run as it has to stand on the bus. */
export interface ExpectedRun {
  readonly run: StageRun;
  readonly trace: TraceHeaders;
}

/**
 * Tasks and their machine's memory.
 *
 * Maintained invariant: every change of a task locks its row first, and stores the situation, the runs, the outbox
 * messages and the audit entry in that one transaction. So of two decisions made at once the second sees the first.
 */
export class TaskRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly vault: CredentialVault,
    private readonly audit: AuditLog,
  ) {}

  async find(taskId: TaskId): Promise<StoredTask | null> {
    return this.#read(this.dataSource.manager, taskId);
  }

  /** `null` when there is no such task. A task stays in its project. */
  async placeOf(taskId: TaskId): Promise<{ readonly projectId: ProjectId; readonly name: string } | null> {
    const row = await this.dataSource.manager.findOne(TaskEntity, {
      where: { id: taskId },
      select: { id: true, projectId: true, name: true },
    });
    return row && { projectId: row.projectId, name: row.name };
  }

  /** Whether a task of the project has this name, compared case-insensitively. */
  async isNameTaken(projectId: ProjectId, name: string): Promise<boolean> {
    const builder = this.dataSource.manager.createQueryBuilder(TaskEntity, 'task');
    return builder
      .where('task.projectId = :projectId AND lower(task.name) = lower(:name)', { projectId, name })
      .getExists();
  }

  list(query: TaskQuery): Promise<TaskPage> {
    return readTaskPage(this.dataSource.manager, query, (tasks) => this.#assemble(this.dataSource.manager, tasks));
  }

  /**
   * Decides on the locked row and stores the outcome; `null` from `decide` changes nothing.
   * @returns the task afterwards, `null` when there is none.
   * @throws SluiceError 6006 when `expected` does not hold any more, 6013 when it is at another revision; whatever `decide` throws.
   */
  async transition(
    taskId: TaskId,
    decide: (situation: TaskSituation) => Decision | null,
    options: TransitionOptions,
  ): Promise<StoredTask | null> {
    return this.dataSource.transaction(async (manager) => {
      const task = await lockTask(manager, taskId);
      if (!task) return null;
      mustBe(task, options);
      const openRuns = await manager.findBy(TaskRunEntity, { taskId, endedAt: IsNull() });
      const decision = decide(toSituation(task, openRuns));
      if (decision) {
        await writeDecision(manager, { task, openRuns, decision, trace: options.origin.trace });
        if (options.action !== undefined) {
          const change = { before: standing(task), after: standing(decision.situation) };
          await this.audit.record({ ...auditEntry(task, options), ...change }, manager);
        }
      }
      return this.#read(manager, taskId);
    });
  }

  /** Keeps what a person decided about a DDL, for the runs that follow; it replaces an earlier decision on the same one. As `#change`. */
  addDdlDecision(
    taskId: TaskId,
    { decision, judge }: { readonly decision: DdlDecision; readonly judge: Judge },
    options: TransitionOptions,
  ): Promise<StoredTask | null> {
    return this.#change(taskId, { judge, ...options }, (task) => {
      const others = task.ddlDecisions.filter(
        ({ commitLsn, number }) => commitLsn !== decision.commitLsn || number !== decision.number,
      );
      // Without the statement, which can hold a password; it stands with the task.
      const { commitLsn, number, decision: kind } = decision;
      return { set: { ddlDecisions: [...others, decision] }, audit: { after: { commitLsn, number, decision: kind } } };
    });
  }

  /** Replaces which roles the task brings along. As `#change`. */
  chooseUsers(
    taskId: TaskId,
    { users, judge }: { readonly users: UserOptions; readonly judge: Judge },
    options: TransitionOptions,
  ): Promise<StoredTask | null> {
    return this.#change(taskId, { judge, ...options }, (task) => ({
      set: { users },
      audit: { before: { users: task.users }, after: { users } },
    }));
  }

  /** Chooses the objects of a task anew. As `#change`. */
  replaceObjects(
    taskId: TaskId,
    { objects, judge }: { readonly objects: ObjectSelection; readonly judge: Judge },
    options: TransitionOptions,
  ): Promise<StoredTask | null> {
    return this.#change(taskId, { judge, ...options }, (task) => ({
      set: { objects },
      audit: { before: { objects: task.objects }, after: { objects } },
    }));
  }

  /** Limits how fast the task's load may be, from now on: workers learn it with what is desired of the task. As `#change`. */
  setRateLimit(
    taskId: TaskId,
    { rateLimit, judge }: { readonly rateLimit: RateLimit; readonly judge: Judge },
    options: TransitionOptions,
  ): Promise<StoredTask | null> {
    return this.#change(taskId, { judge, ...options }, (task) => {
      // A task that nothing was desired of has no workers; its start says the limit.
      const desired = task.desired && { ...task.desired, rateLimit };
      return {
        set: { rateLimit, desired },
        audit: { before: { rateLimit: task.rateLimit }, after: { rateLimit } },
        messages: desired ? [{ kind: 'desire', desired }] : [],
      };
    });
  }

  /** Removes the row and with it the credentials; the bus is told through the outbox. @returns false when there is none. */
  async remove(taskId: TaskId, options: TransitionOptions): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const task = await lockTask(manager, taskId);
      if (!task) return false;
      mustBe(task, options);
      await manager.delete(TaskEntity, taskId);
      await enqueue(manager, taskId, { messages: [{ kind: 'forget' }], trace: options.origin.trace });
      await this.audit.record({ ...auditEntry(task, options), before: standing(task) }, manager);
      return true;
    });
  }

  /** Every run that some worker should be doing or waiting to be given. */
  async expectedRuns(): Promise<readonly ExpectedRun[]> {
    const rows = await this.dataSource.manager.find(TaskRunEntity, {
      where: { endedAt: IsNull() },
      order: { createdAt: 'ASC' },
    });
    return rows.map(({ message, trace }) => ({ run: message, trace }));
  }

  /** What the desired-state bucket should hold, by task id. */
  async desiredStates(): Promise<ReadonlyMap<TaskId, NonNullable<TaskEntity['desired']>>> {
    const rows = await this.dataSource.manager.find(TaskEntity, { select: { id: true, desired: true } });
    return new Map(rows.flatMap(({ id, desired }) => (desired ? [[id, desired] as const] : [])));
  }

  /**
   * Changes a task under its lock.
   * @returns the task, `null` when there is none.
   * @throws whatever `judge` throws on the locked row.
   */
  async #change(
    taskId: TaskId,
    { judge, ...options }: TransitionOptions & { readonly judge: Judge },
    decide: (task: TaskEntity) => Change,
  ): Promise<StoredTask | null> {
    return this.dataSource.transaction(async (manager) => {
      const task = await lockTask(manager, taskId);
      if (!task) return null;
      mustBe(task, options);
      judge(toSituation(task, await manager.findBy(TaskRunEntity, { taskId, endedAt: IsNull() })));
      const { set, audit, messages = [] } = decide(task);
      const revision = (): string => 'revision + 1';
      await manager.update(TaskEntity, taskId, { ...set, revision, updatedAt: new Date() });
      if (messages.length > 0) await enqueue(manager, taskId, { messages, trace: options.origin.trace });
      await this.audit.record({ ...auditEntry(task, options), ...audit }, manager);
      return this.#read(manager, taskId);
    });
  }

  async #read(manager: EntityManager, taskId: TaskId): Promise<StoredTask | null> {
    const task = await manager.findOneBy(TaskEntity, { id: taskId });
    if (!task) return null;
    return (await this.#assemble(manager, [task]))[0] ?? null;
  }

  async #assemble(manager: EntityManager, tasks: readonly TaskEntity[]): Promise<readonly StoredTask[]> {
    const taskId = In(tasks.map(({ id }) => id));
    const runs = await manager.findBy(TaskRunEntity, { taskId, endedAt: IsNull() });
    const credentials = await manager.findBy(TaskCredentialsEntity, { taskId });
    return tasks.map((task) => {
      const sealed = present(
        credentials.find((row) => row.taskId === task.id),
        'row of task_credentials',
      );
      const ofTask = runs.filter((run) => run.taskId === task.id);
      return toStoredTask({ task, runs: ofTask, endpoints: this.vault.open(sealed) });
    });
  }
}

function lockTask(manager: EntityManager, id: TaskId): Promise<TaskEntity | null> {
  return manager.findOne(TaskEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
}

function mustBe(task: TaskEntity, { expected, ifRevisions }: TransitionOptions): void {
  if (ifRevisions && !ifRevisions.includes(task.revision)) {
    throw new SluiceError('SLUICE-6013', { detail: `task ${task.name} is at revision ${task.revision}` });
  }
  if (!expected || (isSameToPeople(task.state, expected.state) && task.epoch === expected.epoch)) return;
  throw new SluiceError('SLUICE-6006', {
    detail: `task ${task.name} went from ${expected.state} to ${task.state} while the request was handled`,
  });
}

/** A worker that loses a connection for a moment makes nobody's order another one: between these a task goes by itself. */
function isSameToPeople(one: TaskState, other: TaskState): boolean {
  const synchronizing: readonly TaskState[] = ['incremental', 'recovering'];
  return one === other || (synchronizing.includes(one) && synchronizing.includes(other));
}

function auditEntry(
  task: TaskEntity,
  { origin, action = 'unknown' }: TransitionOptions,
): Parameters<AuditLog['record']>[0] {
  const { id, name, projectId } = task;
  return { origin, action, projectId, object: { kind: 'task', id, name }, outcome: 'done' };
}

/** What an order changes of a task. */
function standing({
  state,
  epoch,
  untilLsn,
}: Pick<TaskSituation, 'state' | 'epoch' | 'untilLsn'>): Readonly<Record<string, unknown>> {
  return { state, epoch, untilLsn };
}
