import { taskChanges, type TaskId } from '@sluice/contracts';
import { connectBus, type Bus, changeStreams, type ChangeStreamInfo } from '@sluice/messaging';
import { type NatsServer } from '@sluice/embedded';
import { type StoredMsg } from '@nats-io/jetstream';

/** What somebody with access to the bus can see and do. */
export interface BusTap extends AsyncDisposable {
  changes(taskId: TaskId): Promise<ChangeStreamInfo>;
  /** The newest message on a subject of a stream. */
  newest(stream: string, subject: string): Promise<StoredMsg | null>;
  /** Stores a message once more, as if a network had doubled it or held it back. */
  repeat(message: StoredMsg): Promise<void>;
}

/** Ids and expectations of the first sender would have the server refuse or drop the copy. */
const SENDERS_HEADERS = /^Nats-(Msg-Id|Expected-)/;

export async function tapBus(nats: NatsServer): Promise<BusTap> {
  const bus: Bus = await connectBus({ servers: nats.url, name: 'tap' });
  return {
    changes: async (taskId) => {
      const info = await changeStreams(bus).info(taskId);
      if (!info) throw new Error('the task has no change stream');
      return info;
    },
    newest: (stream, subject) => bus.manager.streams.getMessage(stream, { last_by_subj: subject }),
    repeat: async ({ subject, data, header }) => {
      for (const name of header.keys()) if (SENDERS_HEADERS.test(name)) header.delete(name);
      await bus.jetstream.publish(subject, data, { headers: header });
    },
    [Symbol.asyncDispose]: () => bus.close(),
  };
}

/** The newest batch of a task's changes that is not acked, or null. */
export async function newestBatch(tap: BusTap, taskId: TaskId): Promise<StoredMsg | null> {
  try {
    return await tap.newest(taskChanges.streamName({ taskId }), taskChanges.format({ taskId }));
  } catch {
    return null;
  }
}
