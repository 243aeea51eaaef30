import { COPY_PRESENCE_INTERVAL_MS, type CopyPresence } from '@sluice/contracts';

/** Three of four announcements may be lost before a process is taken for gone. */
const SILENT_AFTER_MS = 4 * COPY_PRESENCE_INTERVAL_MS;
/** By then everybody was heard, and has heard of us. */
const SETTLE_MS = 2 * COPY_PRESENCE_INTERVAL_MS;

interface Sight {
  readonly sessions: number;
  readonly seenAtMs: number;
}

/**
 * Divides a limit among all copy sessions of a task, in whatever process they are. Who joins waits until the others know of
 * it, and everybody waits when a limit begins, so that the shares never add up to more than the limit.
 */
export class LimitShares {
  readonly #processId: string;
  readonly #now: () => number;
  readonly #others = new Map<string, Sight>();
  readonly #sessions = new Set<object>();
  #limitedSinceMs: number | null = null;

  constructor(processId: string, now: () => number = () => performance.now()) {
    this.#processId = processId;
    this.#now = now;
  }

  /** A session of this process. @returns what gives its share; `leave` it at the end. */
  join(): { readonly share: (bytesPerSecond: number | null) => number | null; readonly leave: () => void } {
    const session = {};
    const joinedAtMs = this.#now();
    this.#sessions.add(session);
    return {
      share: (bytesPerSecond) => this.#share(bytesPerSecond, joinedAtMs),
      leave: () => void this.#sessions.delete(session),
    };
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  heard({ processId, sessions }: CopyPresence): void {
    if (processId === this.#processId) return;
    this.#others.set(processId, { sessions, seenAtMs: this.#now() });
  }

  /** To be called at every interval with the limit in force, whether somebody copies or not. */
  look(bytesPerSecond: number | null): void {
    if (bytesPerSecond === null) this.#limitedSinceMs = null;
    else this.#limitedSinceMs ??= this.#now();
  }

  #share(bytesPerSecond: number | null, joinedAtMs: number): number | null {
    this.look(bytesPerSecond);
    if (bytesPerSecond === null) return null;
    const nowMs = this.#now();
    const knownSinceMs = Math.max(joinedAtMs, this.#limitedSinceMs ?? nowMs);
    if (nowMs - knownSinceMs < SETTLE_MS) return 0;
    let sessions = this.sessions;
    for (const [id, sight] of this.#others) {
      if (nowMs - sight.seenAtMs > SILENT_AFTER_MS) this.#others.delete(id);
      else sessions += sight.sessions;
    }
    return bytesPerSecond / Math.max(sessions, 1);
  }
}
