import { connect, type Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

export type CutTrigger =
  | { readonly kind: 'bytes'; readonly direction: Direction; remaining: number; readonly fired: () => void }
  | {
      readonly kind: 'pattern';
      readonly direction: Direction;
      readonly bytes: Buffer;
      readonly deliver: boolean;
      readonly fired: () => void;
    };

/** What is wrong with the network now; shared by all links of a proxy and changed while they run. */
export interface LinkFaults {
  delayMs: number;
  /** Links with this number and lower ones swallow what they get. */
  swallowsUntil: number;
  swallowedBytes: number;
  readonly triggers: Set<CutTrigger>;
}

/** One proxied connection. */
export class FaultyLink {
  /** Resolves when both ends are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #number: number;
  readonly #faults: LinkFaults;
  #hasLostBytes = false;

  constructor(
    client: Socket,
    { target, number, faults }: { target: { host: string; port: number }; number: number; faults: LinkFaults },
  ) {
    this.#client = client;
    this.#number = number;
    this.#faults = faults;
    this.#server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    this.closed = Promise.all([this.#forward('to-server'), this.#forward('to-client')]).then(() => undefined);
  }

  get hasLostBytes(): boolean {
    return this.#hasLostBytes;
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) {
      // A reset waits until everything is written, for ever if the other end does not read; a socket that is still
      // connecting has nothing to reset.
      if (socket.connecting || socket.writableLength > 0) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** @returns when the sending end of this direction is closed. */
  #forward(direction: Direction): Promise<void> {
    const [from, to] = direction === 'to-server' ? [this.#client, this.#server] : [this.#server, this.#client];
    // Bytes of the last chunks, as many as a pattern needs to be found across a border.
    let tail: Buffer = Buffer.alloc(0);
    from.on('data', (chunk: Buffer) => {
      const context = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      const cut = this.#findCut(direction, context, tail.length);
      tail = this.#lastBytes(context);
      if (!cut) {
        this.#send(chunk, from, to);
        return;
      }
      cut.fired();
      if (cut.length === 0) this.reset();
      else to.write(chunk.subarray(0, cut.length), () => to.end(() => this.reset()));
      from.pause();
    });
    from.on('end', () => this.#later(() => to.end()));
    from.on('error', () => this.reset());
    return new Promise((resolve) => {
      from.on('close', () => {
        to.destroy();
        resolve();
      });
    });
  }

  #send(chunk: Buffer, from: Socket, to: Socket): void {
    if (this.#number <= this.#faults.swallowsUntil) {
      this.#faults.swallowedBytes += chunk.length;
      this.#hasLostBytes = true;
      return;
    }
    this.#later(() => {
      // What was delayed still comes while it is paused already.
      if (to.destroyed || to.write(chunk) || from.isPaused()) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
  }

  /** Timers of the same length fire in the order they were set, so that bytes stay in order. */
  #later(action: () => void): void {
    if (this.#faults.delayMs === 0) action();
    else setTimeout(action, this.#faults.delayMs);
  }

  #lastBytes(context: Buffer): Buffer {
    const patterns = [...this.#faults.triggers].filter((trigger) => trigger.kind === 'pattern');
    const wanted = Math.max(0, ...patterns.map(({ bytes }) => bytes.length - 1));
    return context.subarray(Math.max(0, context.length - wanted));
  }

  /** @returns how many bytes of the new chunk still pass, when a trigger fires. */
  #findCut(
    direction: Direction,
    context: Buffer,
    tailLength: number,
  ): { length: number; fired: () => void } | undefined {
    const chunkLength = context.length - tailLength;
    for (const trigger of this.#faults.triggers) {
      if (trigger.direction !== direction) continue;
      if (trigger.kind === 'bytes') {
        trigger.remaining -= chunkLength;
        if (trigger.remaining > 0) continue;
        this.#faults.triggers.delete(trigger);
        return { length: chunkLength + trigger.remaining, fired: trigger.fired };
      }
      const at = context.indexOf(trigger.bytes);
      if (at < 0 || at + trigger.bytes.length <= tailLength) continue;
      this.#faults.triggers.delete(trigger);
      const end = trigger.deliver ? at + trigger.bytes.length : at;
      return { length: Math.max(0, end - tailLength), fired: trigger.fired };
    }
    return undefined;
  }
}
