import { abortReason, type Deferred, deferred } from '@sluice/kernel';
import { type Client } from '@sluice/postgres-client';
import { type Connection, type Submittable } from 'pg';
import { type Duplex } from 'node:stream';
import { CopyFrames } from './copy-frames.js';
import { type CopyThrottle, SourceTap } from './source-tap.js';

export interface CopyPipeStatements {
  /** `COPY … TO STDOUT` for the source. */
  readonly copyTo: string;
  /** `COPY … FROM STDIN` for the target. */
  readonly copyFrom: string;
  readonly signal?: AbortSignal;
  readonly throttle?: CopyThrottle;
}

export interface CopyPipeResult {
  readonly rows: number;
  readonly bytes: number;
}

const COPY_DONE_FRAME = Buffer.from([0x63, 0, 0, 0, 4]);

/**
 * Sends what one server gives out by COPY to the other, frame by frame as it came: no row is split, decoded or copied
 * in this process. Reading stops while the target's socket is full, so memory is bounded by the socket buffers (I7).
 *
 * After a failure both sessions are cut off: the bytes sent may end inside a frame, where no other message can follow.
 * The servers roll back by themselves.
 */
export async function pipeCopy(
  source: Client,
  target: Client,
  { copyTo, copyFrom, signal, throttle }: CopyPipeStatements,
): Promise<CopyPipeResult> {
  const input = new CopyInput(copyFrom);
  const output = new CopyOutput(copyTo, input, throttle);
  const aborted = deferred<never>();
  const onAbort = (): void => aborted.reject(signal ? abortReason(signal) : new Error('aborted'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    target.query(input);
    source.query(output);
    const whole = Promise.all([output.finished.promise.then(() => input.end()), input.finished.promise]);
    await Promise.race([whole, aborted.promise]);
    return { rows: input.rows, bytes: output.bytes };
  } catch (error) {
    output.destroy();
    input.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // What is rejected later than the first failure has no reader.
    for (const { promise } of [aborted, input.finished, output.finished]) promise.catch(() => undefined);
  }
}

/** What `pg` calls on the query that is running. */
abstract class RunningCopy implements Submittable {
  readonly finished: Deferred<void> = deferred();
  readonly #text: string;
  protected stream: Duplex | null = null;
  #isDestroyed = false;

  constructor(text: string) {
    this.#text = text;
  }

  submit(connection: Connection): void {
    this.stream = connection.stream;
    if (this.#isDestroyed) connection.stream.destroy();
    this.attach(connection.stream);
    connection.query(this.#text);
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.stream?.destroy();
  }

  protected abstract attach(stream: Duplex): void;

  handleError(error: Error): void {
    this.finished.reject(error);
  }
  handleReadyForQuery(): void {
    this.finished.resolve();
  }
  handleCommandComplete(_message: { readonly text: string }): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(_connection: Connection): void {}
  handleCopyData(): void {}
}

/** The target's side. */
class CopyInput extends RunningCopy {
  rows = 0;
  /** Called when the target has room again. */
  onDrain: () => void = () => undefined;
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @returns false when the caller must wait for `onDrain`. */
  write(bytes: Buffer): boolean {
    return this.stream?.write(bytes) ?? false;
  }

  end(): void {
    this.stream?.write(COPY_DONE_FRAME);
  }

  protected attach(stream: Duplex): void {
    const drained = (): void => this.onDrain();
    stream.on('drain', drained);
    const detach = (): void => void stream.off('drain', drained);
    this.finished.promise.then(detach, detach);
  }

  override handleCopyInResponse(): void {
    this.#isOpen = true;
    this.onDrain();
  }

  /** `COPY 1000` */
  override handleCommandComplete({ text }: { readonly text: string }): void {
    this.rows = Number(text.split(' ')[1] ?? 0);
  }
}

/** The source's side: takes the bytes off the socket itself, and gives `pg` only what is not CopyData. */
class CopyOutput extends RunningCopy {
  readonly #input: CopyInput;
  readonly #throttle: CopyThrottle | undefined;
  #frames: CopyFrames | null = null;
  #detach: () => void = () => undefined;

  constructor(text: string, input: CopyInput, throttle: CopyThrottle | undefined) {
    super(text);
    this.#input = input;
    this.#throttle = throttle;
  }

  get bytes(): number {
    return this.#frames?.payloadBytes ?? 0;
  }

  protected attach(stream: Duplex): void {
    const listeners = stream.listeners('data').filter(isDataListener);
    const frames = new CopyFrames({
      onCopyData: (bytes) => {
        if (!this.#input.write(bytes)) tap.close('target');
      },
      onOther: (bytes) => listeners.forEach((listen) => listen(bytes)),
    });
    const tap = new SourceTap(stream, this.#throttle);
    const receive = (bytes: Buffer): void => {
      tap.passed(bytes.length);
      frames.feed(bytes);
      tap.slowDown();
    };
    this.#frames = frames;
    this.#detach = () => {
      stream.off('data', receive);
      tap[Symbol.dispose]();
      listeners.forEach((listen) => stream.on('data', listen));
      stream.resume();
    };
    listeners.forEach((listen) => stream.off('data', listen));
    // Both commands are under way at once; nothing is read from the source before the target takes data.
    if (!this.#input.isOpen) tap.close('target');
    this.#input.onDrain = () => tap.open('target');
    stream.on('data', receive);
    tap.slowDown();
    const dispose = (): void => tap[Symbol.dispose]();
    this.finished.promise.then(dispose, dispose);
  }

  override handleReadyForQuery(): void {
    // At once, as `pg` may submit the next query before a promise is resolved.
    this.#detach();
    super.handleReadyForQuery();
  }
}

function isDataListener(listener: unknown): listener is (bytes: Buffer) => void {
  return typeof listener === 'function';
}
