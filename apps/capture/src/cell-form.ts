import { CHANGE_HEADERS, type TaskSpec } from '@sluice/contracts';
import { deferred } from '@sluice/kernel';
import { type ChangePublisher } from '@sluice/messaging';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { binaryTypeOids, decodeRelation } from '@sluice/postgres-replication';

/** `text`: apply, or a type that showed up in the stream, asked for it. */
export type CellForm = 'any' | 'text';

/** Ends what is being packed: nothing of it may reach the bus. */
class UnportableType extends Error {
  override readonly name = 'UnportableType';
}

/**
 * The form in which a session's values come. Binary saves the source writing, and the target reading, the text of numbers
 * and times; text is understood by every type, so that one type without a portable binary form makes all of them text.
 *
 * Maintained invariant: no value of a type outside of the portable ones is published in binary form.
 */
export class SessionCells {
  /** Null: everything comes as text. */
  readonly #portableOids: ReadonlySet<number> | null;
  readonly #textNeeded = deferred();

  private constructor(portableOids: ReadonlySet<number> | null) {
    this.#portableOids = portableOids;
  }

  static async choose(source: Endpoint, task: TaskSpec, form: CellForm): Promise<SessionCells> {
    // With `stored` the source forgets what apply has not read yet: it could not be sent again as text.
    if (form === 'text' || task.incremental.confirm === 'stored') return new SessionCells(null);
    await using client = await connect(source, { applicationName: 'capture setup' });
    return new SessionCells(await binaryTypeOids(client, task.publicationName));
  }

  get isBinary(): boolean {
    return this.#portableOids !== null;
  }

  /** Resolves when a relation came whose values must be sent as text. */
  get textNeeded(): Promise<void> {
    return this.#textNeeded.promise;
  }

  /** Takes every Relation message, before any value that it describes. @throws when the session must not go on. */
  readonly check = (buffer: Uint8Array, payloadOffset: number): void => {
    const portable = this.#portableOids;
    if (portable === null) return;
    const { columns } = decodeRelation(buffer, payloadOffset);
    if (columns.every(({ typeOid }) => portable.has(typeOid))) return;
    this.#textNeeded.resolve();
    throw new UnportableType();
  };

  /** Marks batches whose values are binary. */
  mark(publisher: Pick<ChangePublisher, 'publish'>): Pick<ChangePublisher, 'publish'> {
    if (!this.isBinary) return publisher;
    return {
      publish: (payload, headers) => publisher.publish(payload, { ...headers, [CHANGE_HEADERS.binary]: '1' }),
    };
  }
}
