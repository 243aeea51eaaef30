import { decodeStreamAbort, decodeStreamStart, type FrameCursor } from '@sluice/postgres-replication';
import { RelationHeading } from './relation-heading.js';

/** A transaction of which changes came before its end. */
export interface StreamedTransaction {
  readonly xid: number;
  /** The source describes relations anew for each of them. */
  readonly heading: RelationHeading;
  /** A batch of it was packed: the bus knows of it. */
  isPacked: boolean;
}

/** The transactions that the source streams while they run: blocks of changes of one of them each, until a commit or an abort. */
export class StreamedTransactions {
  readonly #open = new Map<number, StreamedTransaction>();

  /** A block of changes begins. */
  begin(frame: FrameCursor): StreamedTransaction {
    const { xid, isFirst } = decodeStreamStart(frame.buffer, frame.payloadOffset);
    const known = isFirst ? undefined : this.#open.get(xid);
    const transaction = known ?? { xid, heading: new RelationHeading(), isPacked: false };
    this.#open.set(xid, transaction);
    return transaction;
  }

  /** It has committed: nothing more of it comes. */
  take(xid: number): StreamedTransaction | null {
    const transaction = this.#open.get(xid) ?? null;
    this.#open.delete(xid);
    return transaction;
  }

  /** True when the bus knows of what is void now. */
  abort(frame: FrameCursor): boolean {
    const { xid, subxid } = decodeStreamAbort(frame.buffer, frame.payloadOffset);
    const isPacked = this.#open.get(xid)?.isPacked ?? false;
    if (xid === subxid) this.#open.delete(xid);
    return isPacked;
  }
}
