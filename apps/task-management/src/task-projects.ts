import { Injectable } from '@nestjs/common';
import { type ProjectId, type TaskId } from '@sluice/contracts';
import { MetadataDatabase } from '@sluice/metadata';

/** Ten times the tasks that a deployment is made for, at about 100 bytes each. */
const KEPT_MAX = 10_000;

/** To which project tasks belong, for what arrives many times a second. A task stays in its project. */
@Injectable()
export class TaskProjects {
  /** Promises rather than values: whoever asks first is answered first, which keeps the order of a task's events. */
  readonly #known = new Map<TaskId, Promise<ProjectId | null>>();

  constructor(private readonly metadata: MetadataDatabase) {}

  /** `null` for a task that is not there, or not known while the database is away. */
  of(taskId: TaskId): Promise<ProjectId | null> {
    const known = this.#known.get(taskId);
    if (known) return known;
    const asked = this.#ask(taskId).catch(() => null);
    this.#known.set(taskId, asked);
    void asked.then((projectId) => projectId === null && this.#known.delete(taskId));
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEPT_MAX && oldest !== undefined) this.#known.delete(oldest);
    return asked;
  }

  async #ask(taskId: TaskId): Promise<ProjectId | null> {
    return (await this.metadata.tasks.placeOf(taskId))?.projectId ?? null;
  }
}
