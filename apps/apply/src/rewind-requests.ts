import { type Lsn } from '@sluice/model';

/** An order may be lost; it is repeated until capture begins anew. */
const REWIND_INTERVAL_MS = 1_000;

export interface RewindRequest {
  readonly session: string | null;
  readonly checkpointLsn: Lsn;
  /** Transactions are to be sent after their commit only. */
  readonly needsWhole: boolean;
}

/** Asks capture for another session, from the checkpoint on, until one begins. */
export class RewindRequests {
  readonly #send: (request: RewindRequest) => void;
  /** The session that cannot be gone on with. */
  #session: string | null = null;
  #needsWhole = false;
  #nextAt = 0;

  constructor(send: (request: RewindRequest) => void) {
    this.#send = send;
  }

  /** Nothing of this session is of use any more. */
  isRefused(session: string): boolean {
    return this.#session === session;
  }

  /** @param session the newest: one that began at the stream's tail has the same gap and must rewind, too. */
  refuse(session: string, { needsWhole = false }: { readonly needsWhole?: boolean } = {}): void {
    this.#session = session;
    this.#needsWhole ||= needsWhole;
  }

  /** Another session began that can be gone on with. */
  answered(): void {
    this.#session = null;
    this.#needsWhole = false;
  }

  tend(now: number, checkpointLsn: Lsn): void {
    if (this.#session === null || now < this.#nextAt) return;
    this.#nextAt = now + REWIND_INTERVAL_MS;
    this.#send({ session: this.#session, checkpointLsn, needsWhole: this.#needsWhole });
  }
}
