import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { CHANGES_MAX_BYTES_DEFAULT, taskChanges, type TaskId } from '@sluice/contracts';
import { type Bus } from './bus.js';
import { busUnavailable, hasJsError, JS_ERROR } from './bus-error.js';
import { type ChangePublisher, openChangePublisher } from './change-publisher.js';
import { type ChangeReader, openChangeReader } from './change-reader.js';
import { ensureStream } from './topology.js';

export interface ChangeStreamInfo {
  readonly messageCount: number;
  readonly sizeBytes: number;
  readonly maxBytes: number;
  /** Servers that keep a copy of the stream. */
  readonly replicas: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** The change streams of the tasks: one each, file-backed, bounded; a message is removed once it is acked. */
export interface ChangeStreams {
  /** Makes the stream, or changes its bound. */
  ensure(taskId: TaskId, options?: { readonly maxBytes?: number }): Promise<void>;
  /** Removes the stream with all in it; nothing happens when it is not there. */
  delete(taskId: TaskId): Promise<void>;
  info(taskId: TaskId): Promise<ChangeStreamInfo | null>;
  /** @throws ChangeStreamMissingError */
  openPublisher(taskId: TaskId, options?: { readonly signal?: AbortSignal }): Promise<ChangePublisher>;
  /** Ends every other reader of the stream. @throws ChangeStreamMissingError */
  openReader(taskId: TaskId, options?: OpenReaderOptions): Promise<ChangeReader>;
}

export interface OpenReaderOptions {
  /** Bytes that may wait here unread, counted as if every message were of the largest size (I7). Default 16 MiB. */
  readonly prefetchBytes?: number;
  readonly signal?: AbortSignal;
}

/** Ids serve the publisher's fence, not the removal of duplicates; a short window keeps the server's table of ids small. */
const DUPLICATE_WINDOW_MS = 1_000;

export function changeStreams(bus: Bus): ChangeStreams {
  return {
    ensure: async (taskId, { maxBytes = CHANGES_MAX_BYTES_DEFAULT } = {}) => {
      await ensureStream(bus, {
        name: taskChanges.streamName({ taskId }),
        subjects: [taskChanges.format({ taskId })],
        retention: RetentionPolicy.Workqueue,
        storage: StorageType.File,
        // A full stream refuses, so that capture stops reading; nothing is ever dropped.
        discard: DiscardPolicy.New,
        max_bytes: maxBytes,
        duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      }).catch((error: unknown) => {
        throw busUnavailable(`change stream of ${taskId} could not be made`, error);
      });
    },
    delete: async (taskId) => {
      try {
        await bus.manager.streams.delete(taskChanges.streamName({ taskId }));
      } catch (error) {
        if (!hasJsError(error, JS_ERROR.streamNotFound))
          throw busUnavailable(`change stream of ${taskId} could not be deleted`, error);
      }
    },
    info: (taskId) => changeStreamInfo(bus, taskId),
    openPublisher: (taskId, options = {}) => openChangePublisher(bus, taskId, options),
    openReader: (taskId, options = {}) => openChangeReader(bus, taskId, options),
  };
}

async function changeStreamInfo(bus: Bus, taskId: TaskId): Promise<ChangeStreamInfo | null> {
  try {
    const { state, config } = await bus.manager.streams.info(taskChanges.streamName({ taskId }));
    return {
      messageCount: state.messages,
      sizeBytes: state.bytes,
      maxBytes: config.max_bytes,
      replicas: config.num_replicas,
      firstSequence: state.first_seq,
      lastSequence: state.last_seq,
    };
  } catch (error) {
    if (hasJsError(error, JS_ERROR.streamNotFound)) return null;
    throw busUnavailable(`change stream of ${taskId}`, error);
  }
}
