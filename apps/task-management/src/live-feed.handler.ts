import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { type ProgressMessage, progressMessages, type TaskEvent, taskEvents } from '@sluice/contracts';
import { OnMessage } from '@sluice/messaging';
import { LiveProgress } from './live-progress.js';
import { TaskFeed } from './task-feed.js';
import { TaskProjects } from './task-projects.js';

/** What is shown live. Every replica hears it all, whichever of them published it. */
@Controller()
export class LiveFeedHandler {
  constructor(
    private readonly progress: LiveProgress,
    private readonly feed: TaskFeed,
    private readonly projects: TaskProjects,
  ) {}

  @OnMessage(progressMessages)
  async onProgress(@Payload() message: ProgressMessage): Promise<void> {
    if (!this.progress.put(message)) return;
    const item = { kind: 'progress', message, delay: this.progress.of(message.taskId).delay } as const;
    this.feed.publish(item, await this.projects.of(message.taskId));
  }

  @OnMessage(taskEvents)
  async onTaskEvent(@Payload() event: TaskEvent): Promise<void> {
    this.feed.publish({ kind: 'state', event }, await this.projects.of(event.taskId));
  }
}
