import { type Response } from 'express';

/** What a reader may leave unread. Beyond it the stream is closed: the reader comes back and gets the state as it is then. */
const UNREAD_BYTES_MAX = 1024 * 1024;

export interface ServerSentEvent {
  readonly event: string;
  readonly id?: string;
  readonly data: unknown;
}

export interface StreamOptions {
  readonly heartbeatMs: number;
  /** Asked with every heartbeat; false ends the stream. */
  readonly mayGoOn: () => Promise<boolean>;
}

/** Server-sent events on a response: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export class EventStream {
  readonly #response: Response;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(response: Response, { heartbeatMs, mayGoOn }: StreamOptions) {
    this.#response = response;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would hold events back to fill its buffer.
      'x-accel-buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    this.#heartbeat = setInterval(() => {
      this.#write(': heartbeat\n\n');
      void mayGoOn().then((may) => may || response.end());
    }, heartbeatMs);
    response.on('close', () => clearInterval(this.#heartbeat));
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed;
  }

  send({ event, id, data }: ServerSentEvent): void {
    // JSON has no raw line breaks, so that one data line is enough.
    this.#write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
  }

  /** Resolves when the reader has taken what was sent, or is gone. Whoever sends much at once waits for it in between. */
  async drained(): Promise<void> {
    if (!this.isOpen || !this.#response.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      this.#response.once('drain', resolve);
      this.#response.once('close', resolve);
    });
  }

  onClose(listener: () => void): void {
    this.#response.on('close', listener);
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    if (this.#response.writableLength > UNREAD_BYTES_MAX) this.#response.destroy();
    else this.#response.write(text);
  }
}
