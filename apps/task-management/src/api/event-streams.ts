import { type ApiKey, type MetadataDatabase } from '@sluice/metadata';
import { type Response } from 'express';
import { EventStream } from './event-stream.js';

/** Proxies close a connection that is silent for a minute; a quarter of that survives lost comments. */
export const HEARTBEAT_MS = 15_000;

/** Opens streams of events that end when the key under which they were asked for no longer reaches as far. */
export class EventStreams {
  constructor(
    private readonly metadata: MetadataDatabase,
    private readonly heartbeatMs: number,
  ) {}

  open(response: Response, key: ApiKey): EventStream {
    // While the database is away nothing is known against the key, and live numbers are what people need then.
    const mayGoOn = (): Promise<boolean> => this.metadata.apiKeys.isUnchanged(key).catch(() => true);
    return new EventStream(response, { heartbeatMs: this.heartbeatMs, mayGoOn });
  }
}
