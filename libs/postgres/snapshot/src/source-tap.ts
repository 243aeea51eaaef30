import { type Duplex } from 'node:stream';

/** Slows a copy down: reading from the source stops for as long as it says. */
export interface CopyThrottle {
  /** What was read from the source's socket. */
  passed(bytes: number): void;
  /** Milliseconds after which to ask again; 0 when it may go on. */
  waitMs(): number;
}

type Reason = 'target' | 'throttle';

/** Whether the source is read: not while the target has no room, nor while the throttle makes wait. */
export class SourceTap implements Disposable {
  readonly #stream: Duplex;
  readonly #throttle: CopyThrottle | undefined;
  readonly #reasons = new Set<Reason>();
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(stream: Duplex, throttle: CopyThrottle | undefined) {
    this.#stream = stream;
    this.#throttle = throttle;
  }

  passed(bytes: number): void {
    this.#throttle?.passed(bytes);
  }

  close(reason: Reason): void {
    // The last frame of a copy can be the one that ends it; what is read then is not ours to hold up.
    if (this.#isDisposed) return;
    this.#reasons.add(reason);
    this.#stream.pause();
  }

  open(reason: Reason): void {
    this.#reasons.delete(reason);
    if (!this.#isDisposed && this.#reasons.size === 0) this.#stream.resume();
  }

  /** Closes for as long as the throttle wants; it may already be closed by it. */
  slowDown(): void {
    if (!this.#throttle || this.#isDisposed || this.#timer) return;
    const waitMs = this.#throttle.waitMs();
    if (waitMs === 0) return this.open('throttle');
    this.close('throttle');
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.slowDown();
    }, waitMs);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }
}
