import { type Lsn } from '@sluice/model';
import { type ChangeApplier } from './change-applier.js';
import { type TransactionPart } from './source-transaction.js';

export interface LargeTransactionHooks {
  readonly applier: ChangeApplier;
  readonly begin: () => void;
  readonly sendCheckpoint: (end: { endLsn: Lsn; commitTime: Date }) => void;
  readonly commit: (end: { endLsn: Lsn; commitTime: Date }, applier: ChangeApplier) => Promise<void>;
  /** Rolls back and gives the error that was the cause. */
  readonly rollbackAfter: (error: unknown) => Promise<unknown>;
}

/** One source transaction in one target transaction, written part by part, so that its size is no matter (I4, I7). */
export class LargeTransaction {
  readonly #hooks: LargeTransactionHooks;

  constructor(hooks: LargeTransactionHooks) {
    this.#hooks = hooks;
    hooks.begin();
  }

  /** @throws FoldedStatementFailed when the transaction has to be read again and written in exact mode. Rolled back on every error. */
  async write(part: TransactionPart): Promise<void> {
    try {
      await this.#hooks.applier.apply(part);
      await this.#hooks.applier.flush();
    } catch (error) {
      throw await this.#hooks.rollbackAfter(error);
    }
  }

  /** As `write`. */
  async commit(end: { endLsn: Lsn; commitTime: Date }): Promise<void> {
    try {
      await this.#hooks.applier.complete(() => this.#hooks.sendCheckpoint(end));
    } catch (error) {
      throw await this.#hooks.rollbackAfter(error);
    }
    await this.#hooks.commit(end, this.#hooks.applier);
  }

  /** The source did not finish it, or its end will be sent again from its beginning. */
  async rollback(): Promise<void> {
    await this.#hooks.rollbackAfter(null);
  }
}
