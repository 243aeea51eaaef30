import { type Lsn, ZERO_LSN } from '@sluice/model';

/**
 * Until when, on the source's clock, everything that was committed has been read.
 *
 * What was committed when the watch looked lies below the end of WAL that it saw. So reading beyond that end proves it;
 * before that, the commit time of the newest transaction does for what lies before it.
 */
export class ReadThrough {
  #sight: { readonly walEndLsn: Lsn; readonly atMs: number } | null = null;
  #positionLsn: Lsn = ZERO_LSN;
  #throughMs: number | null = null;

  /** The watch saw the end of WAL, at this time of the source. */
  saw(walEndLsn: Lsn, atMs: number): void {
    this.#sight = { walEndLsn, atMs };
    this.#settle();
  }

  /** Everything below is on the bus. */
  reached(positionLsn: Lsn): void {
    if (positionLsn > this.#positionLsn) this.#positionLsn = positionLsn;
    this.#settle();
  }

  /** A transaction with this commit time is on the bus, and all before it. */
  committed(atMs: number): void {
    this.#throughMs = Math.max(this.#throughMs ?? 0, atMs);
  }

  /** @param nowMs on the source's clock. @returns `nowMs` when nothing is known to wait. */
  at(nowMs: number): number | null {
    if (this.#sight && this.#positionLsn >= this.#sight.walEndLsn) this.#throughMs = nowMs;
    return this.#throughMs;
  }

  #settle(): void {
    if (!this.#sight || this.#positionLsn < this.#sight.walEndLsn) return;
    this.#throughMs = Math.max(this.#throughMs ?? 0, this.#sight.atMs);
  }
}
