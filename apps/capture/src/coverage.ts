import { SluiceError } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Client, connect, type Endpoint } from '@sluice/postgres-client';
import {
  publishedTableOids,
  requirePublication,
  type UnpublishedTable,
  unpublishedTables,
} from '@sluice/postgres-replication';
import { type Logger } from '@sluice/telemetry';

/** More names would not help a person. */
const TABLES_SHOWN_MAX = 20;

export interface CoverageWatchOptions {
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Looks whether the changes of every table are published. A table that is not in the publication is missing on the
 * target for ever, and nothing in the stream of changes tells of it.
 */
export class Coverage {
  readonly #source: Endpoint;
  readonly #publicationName: string;
  /** As of the first look: what is missing of these was taken out, anything else is new. */
  #publishedOids: ReadonlySet<number> | null = null;

  constructor(source: Endpoint, publicationName: string) {
    this.#source = source;
    this.#publicationName = publicationName;
  }

  /** @throws SluiceError 4005 when the publication was changed, 4006 when a table is new. */
  async checkOn(client: Client): Promise<void> {
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

  /** The same on a session of its own. @throws SluiceError also 1xxx. */
  async check(): Promise<void> {
    await using client = await connect(this.#source, { applicationName: 'capture coverage' });
    await this.checkOn(client);
  }

  /** Looks again and again. Rejects with what a look has found; a look that fails is repeated, as changes may flow all the same. */
  async watch({ intervalMs, signal, log }: CoverageWatchOptions): Promise<never> {
    // Tasks that start together need not look together.
    await delay(Math.random() * intervalMs, signal);
    for (;;) {
      try {
        await this.check();
      } catch (error) {
        if (isFinding(error)) throw error;
        log.warn({ err: error }, 'could not look whether all tables are published');
      }
      await delay(intervalMs, signal);
    }
  }
}

function isFinding(error: unknown): boolean {
  return error instanceof SluiceError && (error.code === 'SLUICE-4005' || error.code === 'SLUICE-4006');
}

function namesOf(tables: readonly UnpublishedTable[]): string {
  const names = tables.slice(0, TABLES_SHOWN_MAX).map(({ schema, name }) => `${schema}.${name}`);
  const more = tables.length > TABLES_SHOWN_MAX ? ` and ${tables.length - TABLES_SHOWN_MAX} more` : '';
  return `${names.join(', ')}${more}`;
}
