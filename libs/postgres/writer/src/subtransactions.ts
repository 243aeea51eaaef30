/** So many savepoints may be held open by one transaction: each costs memory and time in every statement behind it. */
const SAVEPOINTS_MAX = 1_000;

/**
 * Which subtransactions of a transaction that still runs have a savepoint on the target.
 *
 * Maintained invariant: one for each subtransaction in the order of their first changes, set before those. As a session of
 * the source is in one subtransaction at a time, everything behind the savepoint of one that is aborted was made by it, by
 * subtransactions within it, or by such that are aborted with it.
 */
export class Subtransactions {
  readonly #savepoints: number[] = [];
  /** The transaction itself: what it does outside of subtransactions is undone only as a whole. */
  readonly #topXid: number;

  constructor(topXid: number) {
    this.#topXid = topXid;
  }

  get isFull(): boolean {
    return this.#savepoints.length >= SAVEPOINTS_MAX;
  }

  /** A change of `xid` comes. True when a savepoint has to be set before it. */
  enter(xid: number): boolean {
    if (xid === this.#topXid || this.#savepoints.includes(xid)) return false;
    this.#savepoints.push(xid);
    return true;
  }

  /** None can be aborted any more. @returns how many savepoints have to be released. */
  release(): number {
    return this.#savepoints.splice(0).length;
  }

  /** How many savepoints have to be rolled back to and released, from the newest on. */
  abort(xid: number): number {
    const index = this.#savepoints.indexOf(xid);
    return index < 0 ? 0 : this.#savepoints.splice(index).length;
  }
}
