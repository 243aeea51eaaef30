import { SluiceError } from '@sluice/contracts';
import { type Client } from '@sluice/postgres-client';
import {
  publishedTableOids,
  requirePublication,
  type UnpublishedTable,
  unpublishedTables,
} from '@sluice/postgres-replication';

/** More names would not help a person. */
const TABLES_SHOWN_MAX = 20;

/**
 * Looks whether the changes of every table are published. A table that is not in the publication is missing on the
 * target for ever, and nothing in the stream of changes tells of it.
 */
export class Coverage {
  readonly #publicationName: string;
  /** As of the first look: what is missing of these was taken out, anything else is new. */
  #publishedOids: ReadonlySet<number> | null = null;

  constructor(publicationName: string) {
    this.#publicationName = publicationName;
  }

  /** @throws SluiceError 4005 when the publication was changed, 4006 when a table is new. */
  async check(client: Client): Promise<void> {
    await requirePublication(client, this.#publicationName);
    const unpublished = await unpublishedTables(client, this.#publicationName);
    const removed = unpublished.filter(({ oid }) => this.#publishedOids?.has(oid));
    if (removed.length > 0) {
      const detail = `publication ${this.#publicationName} lost ${namesOf(removed)}`;
      throw new SluiceError('SLUICE-4005', { detail });
    }
    if (unpublished.length > 0) throw new SluiceError('SLUICE-4006', { detail: namesOf(unpublished) });
    this.#publishedOids ??= new Set(await publishedTableOids(client, this.#publicationName));
  }
}

function namesOf(tables: readonly UnpublishedTable[]): string {
  const names = tables.slice(0, TABLES_SHOWN_MAX).map(({ schema, name }) => `${schema}.${name}`);
  const more = tables.length > TABLES_SHOWN_MAX ? ` and ${tables.length - TABLES_SHOWN_MAX} more` : '';
  return `${names.join(', ')}${more}`;
}
