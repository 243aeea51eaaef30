import { Controller, Get, Param, Res } from '@nestjs/common';
import { type TaskId, type TaskResource } from '@sluice/contracts';
import { type Response } from 'express';
import { type Grant, Granted } from '../access/granted.js';
import { Requires } from '../access/requires.js';
import { type FeedItem, type Interest, TaskFeed } from '../task-feed.js';
import { TaskOrders } from '../task-orders.js';
import { type EventStream } from './event-stream.js';
import { EventStreams } from './event-streams.js';

const PAGE = 100;

/**
 * Live state as server-sent events. A stream begins with the tasks as they are (`task`), then come `state` and
 * `progress`. So whoever reconnects, with whatever `Last-Event-ID`, has missed nothing that still holds.
 */
@Controller('api/v1/tasks')
export class TaskEventsController {
  constructor(
    private readonly feed: TaskFeed,
    private readonly orders: TaskOrders,
    private readonly streams: EventStreams,
  ) {}

  @Get('events')
  @Requires({ of: 'any-project', role: 'viewer' })
  async all(@Res() response: Response, @Granted() { key, projects }: Grant): Promise<void> {
    await this.#stream(this.streams.open(response, key), { taskId: null, projects }, async (send) => {
      let cursor: string | undefined;
      do {
        const page = await this.orders.list({ projects, limit: PAGE, cursor });
        for (const task of page.items) await send(task);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
    });
  }

  @Get(':id/events')
  @Requires({ of: 'task', role: 'viewer' })
  async one(
    @Param('id') taskId: TaskId,
    @Res() response: Response,
    @Granted() { key, projects }: Grant,
  ): Promise<void> {
    // Before the answer begins, so that an unknown task is a 404.
    await this.orders.get(taskId);
    await this.#stream(this.streams.open(response, key), { taskId, projects }, async (send) =>
      send(await this.orders.get(taskId)),
    );
  }

  async #stream(
    stream: EventStream,
    interest: Interest,
    snapshot: (send: (task: TaskResource) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    // Listening begins before the snapshot is read: a change in between is told twice rather than not at all.
    stream.onClose(this.feed.listen(interest, (item) => stream.send(toEvent(item))));
    await snapshot(async (task) => {
      stream.send({ event: 'task', data: task });
      await stream.drained();
    });
  }
}

function toEvent(item: FeedItem): Parameters<EventStream['send']>[0] {
  if (item.kind === 'state') return { event: 'state', id: item.event.eventId, data: item.event };
  const { taskId, epoch, at, progress } = item.message;
  return { event: 'progress', data: { taskId, epoch, at, progress, delay: item.delay } };
}
