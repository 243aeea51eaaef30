import { type Lsn } from '@sluice/model';
import { type SourceFacts } from '@sluice/postgres-replication';

/**
 * When a session that sends whole transactions may give way to one that sends them while they run.
 *
 * Maintained invariant: not before everything that ran at the source when the session began has ended, and has been read.
 * Among that is the transaction that could not be followed while it ran: it would only be met again.
 */
export class Renewal {
  readonly #notBeforeMs: number;
  /** The first transaction that began after the session. */
  #firstNewXid: bigint | null = null;
  #settledLsn: Lsn | null = null;

  /** @param wholeForMs `null`: never, as it does so already. */
  constructor(wholeForMs: number | null) {
    this.#notBeforeMs = wholeForMs === null ? Infinity : Date.now() + wholeForMs;
  }

  saw({ oldestRunningXid, nextXid, walInsertLsn }: SourceFacts): void {
    this.#firstNewXid ??= nextXid;
    if (oldestRunningXid >= this.#firstNewXid) this.#settledLsn ??= walInsertLsn;
  }

  /** @param readLsn everything that committed below it is on the bus. */
  isDue(readLsn: Lsn): boolean {
    return this.#settledLsn !== null && readLsn >= this.#settledLsn && Date.now() >= this.#notBeforeMs;
  }
}
