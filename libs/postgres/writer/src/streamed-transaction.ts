import { type Lsn } from '@sluice/model';
import { asUnfit, targetError } from './apply-failure.js';
import { type ChangeApplier } from './change-applier.js';
import { type TransactionPart } from './source-transaction.js';
import { type AppliedEnd, type TargetConnection } from './target-connection.js';

export interface StreamedTransactionOptions {
  readonly connection: TargetConnection;
  /** In mode `streamed`. */
  readonly applier: ChangeApplier;
  /** It is committed on the target; `targetLsn` is where its WAL stands then. */
  readonly onCommitted: (end: AppliedEnd, targetLsn: Lsn, applier: ChangeApplier) => void;
  /** Takes the connection back when nothing is open on it. */
  readonly giveBack: (connection: TargetConnection) => Promise<void>;
}

/**
 * A transaction that still runs at the source, written on a connection of its own. Nobody sees anything of it before its commit,
 * which moves the checkpoint like that of any other (I2, I4).
 *
 * Order: a part may be written when everything that committed before it in the stream is committed on the target. What
 * committed at the source later than a change of this transaction did not touch the same row, as that was locked.
 */
export class StreamedTransaction implements AsyncDisposable {
  readonly #connection: TargetConnection;
  readonly #options: StreamedTransactionOptions;
  #isCommitted = false;
  #isOver = false;

  constructor(options: StreamedTransactionOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#connection.begin();
  }

  get backendPid(): number {
    return this.#connection.backendPid;
  }

  /** @throws StreamedUnfit when it has to be sent again as a whole, after its commit. */
  async write(part: TransactionPart): Promise<void> {
    const { applier } = this.#options;
    await this.#attempt(async () => {
      await applier.apply(part);
      await applier.flush();
    });
  }

  /** The source has rolled back this subtransaction and all within it. As `write`. */
  async abortSubtransaction(xid: number): Promise<void> {
    await this.#attempt(async () => this.#options.applier.abortSubtransaction(xid));
  }

  /** As `write`; SluiceError 5004 when a newer writer has claimed the checkpoint. */
  async commit(end: AppliedEnd): Promise<void> {
    const { applier, onCommitted } = this.#options;
    await this.#attempt(() => applier.complete(() => this.#connection.sendCheckpoint(end)));
    try {
      onCommitted(end, await this.#connection.commit(), applier);
      this.#connection.relations.commit();
      this.#isCommitted = true;
    } catch (error) {
      throw targetError(error, 'commit');
    }
  }

  /** Rolls back what is not committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#isCommitted) await this.#options.giveBack(this.#connection);
    else await this.#connection.close();
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      throw asUnfit(await this.#connection.firstFailure(error));
    }
  }
}
