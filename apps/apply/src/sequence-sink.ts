import { sequenceMessages, type SequencesMessage, type TaskId } from '@sluice/contracts';
import { type Bus, type Listening, subscribe } from '@sluice/messaging';
import { bringSequences } from '@sluice/postgres-catalog';
import { type Client, connect, type Endpoint } from '@sluice/postgres-client';

/** Shorter than the server's deadlock_timeout: the writer of rows must never be the one that is ended. */
const SETTINGS = { lock_timeout: '300', search_path: '' };
/** A target that does not answer must not hold up the end of the run. */
const QUERY_TIMEOUT_MS = 5_000;
const SESSION = { applicationName: 'apply sequences', settings: SETTINGS, queryTimeoutMs: QUERY_TIMEOUT_MS };

interface SequenceLog {
  readonly info: (fields: { readonly err: unknown }, message: string) => void;
  readonly warn: (fields: { readonly sequence: string; readonly err?: unknown }, message: string) => void;
}

/**
 * Brings the target's sequences to where the source's were seen last, on a session of its own and never in the way of the
 * rows. What fails is tried again with the next message; the end of the task sets all of them exactly.
 */
export class SequenceSink implements AsyncDisposable {
  readonly #target: Endpoint;
  readonly #log: SequenceLog;
  readonly #listening: Listening;
  /** Told of once. */
  readonly #told = new Set<string>();
  #client: Client | null = null;

  constructor(bus: Bus, options: { readonly taskId: TaskId; readonly target: Endpoint; readonly log: SequenceLog }) {
    this.#target = options.target;
    this.#log = options.log;
    this.#listening = subscribe(bus, sequenceMessages, {
      params: { taskId: options.taskId },
      handle: (message) => this.#bring(message),
    });
  }

  /** Nothing is set any more once it resolves: what comes after the end of the task's run would undo what that sets. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    await this.#listening.closed;
    await Promise.resolve(this.#client?.[Symbol.asyncDispose]()).catch(() => undefined);
  }

  async #bring({ sequences }: SequencesMessage): Promise<void> {
    try {
      this.#client ??= await connect(this.#target, SESSION);
      const { missing, refused } = await bringSequences(this.#client, sequences);
      for (const { schema, name } of missing) this.#tell(`${schema}.${name}`, 'a sequence of the source is not there');
      for (const { sequence, error } of refused)
        this.#tell(`${sequence.schema}.${sequence.name}`, 'a sequence does not take its value', error);
    } catch (error) {
      this.#log.info({ err: error }, 'sequences could not be brought to the target; they will be again');
      await Promise.resolve(this.#client?.[Symbol.asyncDispose]()).catch(() => undefined);
      this.#client = null;
    }
  }

  #tell(sequence: string, what: string, error?: unknown): void {
    if (this.#told.has(sequence)) return;
    this.#told.add(sequence);
    this.#log.warn({ sequence, ...(error !== undefined && { err: error }) }, what);
  }
}
