import { type Lsn } from '@sluice/model';
import { ddlEventOfMessage, type EventSigning, isDdlMessage, isSigned } from '@sluice/postgres-ddl';
import { type LogicalMessage } from '@sluice/postgres-replication';
import { type DdlSettings } from './ddl-runner.js';

/** The transaction that a message is in. */
export interface MessagePlace {
  readonly commitLsn: Lsn;
  readonly xid: number;
}

/**
 * Tells the events of the capture from what others write under its prefix, which everybody may. The latter is left out: if it stopped the
 * task, every user of the source could.
 *
 * Maintained invariant: an event of the capture is never left out while its secret can be read. What a secret of this run does not fit is
 * looked at again with the secret as it is after the transaction.
 */
export class EventMessages {
  readonly #options: Pick<DdlSettings, 'helperName' | 'signing'>;
  /** All that were seen: events may come that were signed before the capture was installed anew. */
  readonly #known: EventSigning[] = [];
  /** Below it no other secret has signed anything; `null` before the first was read. So a flood of messages costs one look for all that came. */
  #throughLsn: Lsn | null = null;
  #forgedCount = 0;

  constructor(options: Pick<DdlSettings, 'helperName' | 'signing'>) {
    this.#options = options;
  }

  /** @returns null for a message that is not from the capture. @throws SluiceError when the secret cannot be read. */
  async eventOf(message: LogicalMessage, place: MessagePlace): Promise<string | null> {
    if (!isDdlMessage(message, this.#options.helperName)) return null;
    if (this.#throughLsn === null) await this.#read({ isAnew: false });
    const event = this.#open(message, place) ?? (await this.#openAnew(message, place));
    if (event === null) this.#forgedCount += 1;
    return event;
  }

  /** Since it was last asked for. */
  takeForgedCount(): number {
    const count = this.#forgedCount;
    this.#forgedCount = 0;
    return count;
  }

  #open(message: LogicalMessage, { commitLsn, xid }: MessagePlace): string | null {
    for (const signing of this.#known) {
      if (isSigned(message.content, signing, xid)) return ddlEventOfMessage(message, { isSigned: true });
      if (commitLsn < signing.signedSinceLsn) return ddlEventOfMessage(message, { isSigned: false });
    }
    return null;
  }

  async #openAnew(message: LogicalMessage, place: MessagePlace): Promise<string | null> {
    if (this.#throughLsn !== null && place.commitLsn < this.#throughLsn) return null;
    await this.#read({ isAnew: true });
    return this.#open(message, place);
  }

  async #read(options: { readonly isAnew: boolean }): Promise<void> {
    const { signing, throughLsn } = await this.#options.signing(options);
    this.#throughLsn = throughLsn;
    const isKnown = this.#known.some(({ secret }) => secret.reveal() === signing?.secret.reveal());
    if (signing && !isKnown) this.#known.unshift(signing);
  }
}
