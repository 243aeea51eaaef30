import { Injectable } from '@nestjs/common';
import { type ProgressMessage, type ProjectId, type TaskDelay, type TaskEvent, type TaskId } from '@sluice/contracts';
import { type InProjects } from '@sluice/metadata';

export type FeedItem =
  | { readonly kind: 'state'; readonly event: TaskEvent }
  | { readonly kind: 'progress'; readonly message: ProgressMessage; readonly delay: TaskDelay | null };

export interface Interest {
  /** `null` for all tasks. */
  readonly taskId: TaskId | null;
  readonly projects: InProjects;
}

type Listener = (item: FeedItem) => void;

/** What happens to tasks right now, for those who look at it. Every replica hears everything from the bus. */
@Injectable()
export class TaskFeed {
  readonly #listeners = new Set<{ readonly interest: Interest; readonly listener: Listener }>();

  /** @param projectId `null` when it is not known: then only those hear it who see every project. */
  publish(item: FeedItem, projectId: ProjectId | null): void {
    const taskId = item.kind === 'state' ? item.event.taskId : item.message.taskId;
    for (const { interest, listener } of [...this.#listeners]) {
      if (interest.taskId !== null && interest.taskId !== taskId) continue;
      if (interest.projects === 'all' || (projectId !== null && interest.projects.includes(projectId))) listener(item);
    }
  }

  /** @returns what ends it. */
  listen(interest: Interest, listener: Listener): () => void {
    const entry = { interest, listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }
}
