import { ClockReply, clockRequests, type TaskId } from '@sluice/contracts';
import { type Bus, request } from '@sluice/messaging';

/** Clocks of machines that are kept in step drift by less than a millisecond in this time. */
const INTERVAL_MS = 30_000;
/** Until the first answer. */
const FIRST_INTERVAL_MS = 1_000;
const TIMEOUT_MS = 2_000;

/** The source's clock as capture tells it, so that apply needs no way to the source. */
export class SourceTime implements Disposable {
  readonly #bus: Bus;
  readonly #taskId: TaskId;
  #timer: NodeJS.Timeout | null = null;
  #offsetMs: number | null = null;
  #isOver = false;

  private constructor(bus: Bus, taskId: TaskId) {
    this.#bus = bus;
    this.#taskId = taskId;
  }

  static follow(bus: Bus, taskId: TaskId): SourceTime {
    const time = new SourceTime(bus, taskId);
    void time.#ask();
    return time;
  }

  /** A moment of `performance.now()` on the source's clock, milliseconds since 1970; null until that is known. */
  at(nowMs: number): number | null {
    return this.#offsetMs === null ? null : nowMs + this.#offsetMs;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const askedAt = performance.now();
    const { sourceTimeMicros } = await this.#request().catch(() => ({ sourceTimeMicros: null }));
    const answeredAt = performance.now();
    // The answer was given in the middle between question and answer; an old offset is better than none.
    if (sourceTimeMicros !== null) this.#offsetMs = sourceTimeMicros / 1000 - (askedAt + answeredAt) / 2;
    if (this.#isOver) return;
    const pauseMs = sourceTimeMicros === null ? FIRST_INTERVAL_MS : INTERVAL_MS;
    this.#timer = setTimeout(() => void this.#ask(), pauseMs);
  }

  #request(): Promise<ClockReply> {
    const taskId = this.#taskId;
    return request(this.#bus, clockRequests, {
      params: { taskId },
      payload: { version: 1, taskId },
      reply: ClockReply,
      timeoutMs: TIMEOUT_MS,
    });
  }
}
