import { SluiceError } from '@sluice/contracts';
import { Socket } from 'node:net';
import type pg from 'pg';

export interface SilenceOptions {
  /** After so long without a sign the server is asked. */
  readonly silenceMs: number;
  /** Another session with the same server. It closes itself. */
  readonly openProbe: () => Promise<pg.Client & AsyncDisposable>;
}

/** What the server says of the session through another connection. */
type Verdict =
  /** It works, or waits for something that is not us. */
  | 'busy'
  /** It waits for us as we wait for it, it is gone, or nothing of the server can be reached. */
  | 'lost'
  | 'unknown';

/** One look may fall between an answer's leaving and its arriving. */
const LOST_VERDICTS = 2;
/** Bytes that the network has not taken yet may be a large statement on a slow line. */
const PATIENCE_WHILE_SENDING = 4;
const LOOKS_PER_SILENCE = 3;

/** Through another connection: is there such a session, and what does it do? PostgreSQL 10–18. */
const OWN_SESSION = `
  SELECT pid, backend_start::text AS started FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()`;
const OTHER_SESSION = `
  SELECT state, wait_event_type AS waits_for FROM pg_catalog.pg_stat_activity
  WHERE pid = $1 AND backend_start = $2::timestamptz`;

/**
 * Ends a session whose answer can never come: on a network that went away without a word the kernel notices after a
 * quarter of an hour, behind a middlebox that swallows bytes never.
 *
 * Maintained invariant: a session that works for long, or waits for a lock, is left alone however long it says nothing.
 */
export async function watchSilence(client: pg.Client, options: SilenceOptions): Promise<void> {
  const { rows } = await client.query<{ pid: number; started: string }>(OWN_SESSION);
  const session = rows[0];
  const { stream } = client.connection;
  // Behind a pooler the session may not be there to be seen.
  if (session && stream instanceof Socket) new SilenceWatch(client, stream, { ...options, session });
}

interface WatchedSession extends SilenceOptions {
  readonly session: { readonly pid: number; readonly started: string };
}

class SilenceWatch {
  readonly #stream: Socket;
  readonly #options: WatchedSession;
  readonly #timer: NodeJS.Timeout;
  /** What had been written when the last answer was complete; more than that means that an answer is due. */
  #answeredBytes: number;
  #position = '';
  #movedAt = performance.now();
  #lostVerdicts = 0;
  #isAsking = false;

  constructor(client: pg.Client, stream: Socket, options: WatchedSession) {
    this.#stream = stream;
    this.#options = options;
    this.#answeredBytes = stream.bytesWritten;
    client.on('drain', () => {
      this.#answeredBytes = stream.bytesWritten;
    });
    this.#timer = setInterval(() => void this.#look(), options.silenceMs / LOOKS_PER_SILENCE);
    this.#timer.unref();
    client.once('end', () => clearInterval(this.#timer));
  }

  async #look(): Promise<void> {
    const stream = this.#stream;
    const position = `${stream.bytesRead} ${stream.bytesWritten - stream.writableLength}`;
    const isAnswerDue = stream.bytesWritten > this.#answeredBytes;
    if (!isAnswerDue || position !== this.#position) {
      this.#position = position;
      this.#moved();
      return;
    }
    const patienceMs = this.#options.silenceMs * (stream.writableLength > 0 ? PATIENCE_WHILE_SENDING : 1);
    if (this.#isAsking || performance.now() - this.#movedAt < patienceMs) return;
    this.#isAsking = true;
    const verdict = await this.#ask();
    this.#isAsking = false;
    if (verdict !== 'lost') {
      this.#moved();
      return;
    }
    this.#lostVerdicts += 1;
    const isStillSilent = stream.bytesRead === Number(position.split(' ')[0]);
    if (this.#lostVerdicts < LOST_VERDICTS || !isStillSilent) return;
    clearInterval(this.#timer);
    stream.destroy(new Error(`connection terminated: no sign of life for ${this.#options.silenceMs} ms`));
  }

  #moved(): void {
    this.#movedAt = performance.now();
    this.#lostVerdicts = 0;
  }

  async #ask(): Promise<Verdict> {
    const { openProbe, session } = this.#options;
    try {
      await using probe = await openProbe();
      const { rows } = await probe.query<{ state: string | null; waits_for: string | null }>(OTHER_SESSION, [
        session.pid,
        session.started,
      ]);
      const [seen] = rows;
      if (!seen) return 'lost';
      if (seen.state === null || seen.state === 'disabled') return 'unknown';
      return seen.state === 'active' && seen.waits_for !== 'Client' ? 'busy' : 'lost';
    } catch (error) {
      if (!(error instanceof SluiceError)) return 'lost';
      // A password that was changed meanwhile must not be tried again and again: that can lock the account.
      if (error.spec.retry === 'manual') clearInterval(this.#timer);
      return error.spec.retry === 'manual' || error.code === 'SLUICE-1010' ? 'unknown' : 'lost';
    }
  }
}
