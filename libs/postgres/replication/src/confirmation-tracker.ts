import { type Lsn, ZERO_LSN } from '@sluice/model';

/** Which report lets the source free WAL: that of the target, or that of the bus. */
export type ConfirmWhen = 'applied' | 'stored';

/** What an earlier publisher stored, or a transaction that may not stay on the bus: it counts once it is applied. */
interface Hold {
  /** Nothing above it is confirmed … */
  readonly floorLsn: Lsn;
  /** … until the target is durable up to here. */
  readonly untilLsn: Lsn;
}

/**
 * What may be confirmed to the source.
 *
 * Maintained invariant (I1): `confirmedLsn` never goes back. With `applied` it is never above what the target was reported
 * to have made durable, nor above what this session has sent there: a report that speaks of another stream confirms nothing.
 * With `stored` it is never above what can be read from the bus until the target has it.
 */
export class ConfirmationTracker {
  readonly #when: ConfirmWhen;
  #publishedLsn: Lsn;
  #durableLsn: Lsn = ZERO_LSN;
  #confirmedLsn: Lsn = ZERO_LSN;
  readonly #holds: Hold[];

  /** @param startLsn everything that ends at or below it was on the way to the target before. */
  constructor(startLsn: Lsn, when: ConfirmWhen = 'applied') {
    this.#publishedLsn = startLsn;
    this.#when = when;
    // Large transactions of the session before are not known here.
    this.#holds = [{ floorLsn: ZERO_LSN, untilLsn: startLsn }];
  }

  get confirmedLsn(): Lsn {
    return this.#confirmedLsn;
  }

  /**
   * Everything that ends at or below `watermarkLsn` is stored on the bus.
   * @param isRemovable something of it may leave the bus before it is applied.
   */
  published(watermarkLsn: Lsn, isRemovable = false): void {
    if (isRemovable) this.#holds.push({ floorLsn: this.#publishedLsn, untilLsn: watermarkLsn });
    if (watermarkLsn > this.#publishedLsn) this.#publishedLsn = watermarkLsn;
    this.#advance();
  }

  /** Apply reported that the target is durable up to `durableLsn`. */
  durable(durableLsn: Lsn): void {
    if (durableLsn > this.#durableLsn) this.#durableLsn = durableLsn;
    this.#advance();
  }

  #advance(): void {
    while (this.#holds[0] && this.#holds[0].untilLsn <= this.#durableLsn) this.#holds.shift();
    const appliedLsn = this.#durableLsn < this.#publishedLsn ? this.#durableLsn : this.#publishedLsn;
    const storedLsn = this.#holds[0]?.floorLsn ?? this.#publishedLsn;
    const allowedLsn = this.#when === 'stored' && storedLsn > appliedLsn ? storedLsn : appliedLsn;
    if (allowedLsn > this.#confirmedLsn) this.#confirmedLsn = allowedLsn;
  }
}
