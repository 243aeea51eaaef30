import { Injectable } from '@nestjs/common';
import { type ProgressMessage, type TaskDelay, type TaskEvent, type TaskId } from '@sluice/contracts';

export type FeedItem =
  | { readonly kind: 'state'; readonly event: TaskEvent }
  | { readonly kind: 'progress'; readonly message: ProgressMessage; readonly delay: TaskDelay | null };

type Listener = (item: FeedItem) => void;

/** What happens to tasks right now, for those who look at it. Every replica hears everything from the bus. */
@Injectable()
export class TaskFeed {
  readonly #listeners = new Set<{ readonly taskId: TaskId | null; readonly listener: Listener }>();

  publish(item: FeedItem): void {
    const taskId = item.kind === 'state' ? item.event.taskId : item.message.taskId;
    for (const one of [...this.#listeners]) {
      if (one.taskId === null || one.taskId === taskId) one.listener(item);
    }
  }

  /** @param taskId `null` for all tasks. @returns what ends it. */
  listen(taskId: TaskId | null, listener: Listener): () => void {
    const entry = { taskId, listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }
}
