import { type Lsn } from '@sluice/model';

/**
 * Which batches may be removed from the stream: those whose last transaction the target has on its disk (I5).
 * Until then a crash of the target would need them again.
 */
export class DurabilityQueue {
  readonly #entries: { readonly lsn: Lsn; readonly sequence: number }[] = [];
  #newestSequence = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Everything up to batch `sequence` is contained in what ends at or below `lsn`. */
  add(lsn: Lsn, sequence: number): void {
    if (sequence <= this.#newestSequence) return;
    this.#newestSequence = sequence;
    if (this.#entries.at(-1)?.lsn === lsn) this.#entries.pop();
    this.#entries.push({ lsn, sequence });
  }

  /** The newest batch that may go now that `durableLsn` is on disk; `null` when none may. */
  takeThrough(durableLsn: Lsn): number | null {
    let count = 0;
    while (count < this.#entries.length && (this.#entries[count]?.lsn ?? durableLsn + 1n) <= durableLsn) count += 1;
    const [last] = this.#entries.splice(0, count).slice(-1);
    return last?.sequence ?? null;
  }
}
