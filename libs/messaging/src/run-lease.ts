import { type Msg } from '@nats-io/nats-core';
import { RUN_ACK_WAIT_MS, RUN_HEARTBEAT_MS } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Bus } from './bus.js';
import { isNoResponders } from './bus-error.js';

/** The run may belong to another worker now: stop at once and touch nothing more. */
export class RunLostError extends Error {
  override readonly name = 'RunLostError';
}

/** How often the age of the last sign of life is looked at. */
const CHECK_INTERVAL_MS = 250;

/**
 * Keeps a pulled run ours and says when it is not any more.
 *
 * Maintained invariant: while `signal` is not aborted, the server has confirmed a sign of life that was sent less than
 * RUN_ACK_WAIT_MS ago, so the run was given to nobody else. The server itself does not tell when it gives it away.
 */
export class RunLease implements Disposable {
  readonly #bus: Bus;
  readonly #reply: string;
  readonly #controller = new AbortController();
  readonly #timers: NodeJS.Timeout[];
  readonly #forgetLoss: () => void;
  #confirmedAt = performance.now();

  constructor(bus: Bus, message: Msg) {
    this.#bus = bus;
    this.#reply = message.reply ?? '';
    this.#timers = [
      setInterval(() => void this.#sendSignOfLife(), RUN_HEARTBEAT_MS),
      setInterval(() => this.#checkAge(), CHECK_INTERVAL_MS),
    ];
    // A wiped and re-created stream would confirm signs of life of runs that it does not hold.
    this.#forgetLoss = bus.onTopologyLost(() => this.#lose('the streams of the bus were lost'));
  }

  /** Aborted with a RunLostError when the run is lost, or with the reason given to `abort`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isLost(): boolean {
    return this.signal.reason instanceof RunLostError;
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Says that the run is done; tries until the run would be somebody else's. Returns whether the server knows. */
  async ack(): Promise<boolean> {
    while (!this.isLost && !this.#bus.connection.isClosed()) {
      this.#checkAge();
      try {
        await this.#bus.connection.request(this.#reply, '+ACK', { timeout: RUN_HEARTBEAT_MS });
        return true;
      } catch (error) {
        if (isNoResponders(error)) return false;
        await delay(CHECK_INTERVAL_MS);
      }
    }
    return false;
  }

  /** Gives the run back; it is handed out again after `delayMs`. */
  nak(delayMs: number): void {
    this.#send(delayMs > 0 ? `-NAK {"delay": ${Math.round(delayMs) * 1_000_000}}` : '-NAK');
  }

  /** Removes the message for good. */
  terminate(): void {
    this.#send('+TERM');
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#forgetLoss();
  }

  #send(answer: string): void {
    if (!this.#bus.connection.isClosed()) this.#bus.connection.publish(this.#reply, answer);
  }

  async #sendSignOfLife(): Promise<void> {
    const sentAt = performance.now();
    try {
      await this.#bus.connection.request(this.#reply, '+WPI', { timeout: RUN_ACK_WAIT_MS });
    } catch (error) {
      // Nobody listens for acks: the consumer is gone, and its successor hands the run to anybody.
      if (isNoResponders(error)) this.#lose('its consumer is gone');
      return;
    }
    // A late answer proves nothing: the run may have been given away before it was confirmed again.
    this.#checkAge();
    if (!this.isLost) this.#confirmedAt = Math.max(this.#confirmedAt, sentAt);
  }

  #checkAge(): void {
    const ageMs = performance.now() - this.#confirmedAt;
    if (ageMs >= RUN_ACK_WAIT_MS) this.#lose(`no sign of life was confirmed for ${Math.round(ageMs)} ms`);
  }

  #lose(why: string): void {
    this.#controller.abort(new RunLostError(`the run may be another worker's now: ${why}`));
  }
}
