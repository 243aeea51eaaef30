import { type Lsn, ZERO_LSN } from '@sluice/model';

/**
 * What may be confirmed to the source.
 *
 * Maintained invariant (I1): `confirmedLsn` never goes back and is never above what the target was reported to have
 * made durable, nor above what this session has sent there: a report that speaks of another stream confirms nothing.
 */
export class ConfirmationTracker {
  #publishedLsn: Lsn;
  #durableLsn: Lsn = ZERO_LSN;
  #confirmedLsn: Lsn = ZERO_LSN;

  /** @param startLsn everything that ends at or below it was on the way to the target before. */
  constructor(startLsn: Lsn) {
    this.#publishedLsn = startLsn;
  }

  get confirmedLsn(): Lsn {
    return this.#confirmedLsn;
  }

  /** Everything that ends at or below `watermarkLsn` is stored on the bus. */
  published(watermarkLsn: Lsn): void {
    if (watermarkLsn > this.#publishedLsn) this.#publishedLsn = watermarkLsn;
    this.#advance();
  }

  /** Apply reported that the target is durable up to `durableLsn`. */
  durable(durableLsn: Lsn): void {
    if (durableLsn > this.#durableLsn) this.#durableLsn = durableLsn;
    this.#advance();
  }

  #advance(): void {
    const allowedLsn = this.#durableLsn < this.#publishedLsn ? this.#durableLsn : this.#publishedLsn;
    if (allowedLsn > this.#confirmedLsn) this.#confirmedLsn = allowedLsn;
  }
}
