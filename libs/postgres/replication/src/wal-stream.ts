import { SluiceError } from '@sluice/contracts';
import { abortReason, assert, type Deferred, deferred } from '@sluice/kernel';
import { formatLsn, type Lsn, maxLsn, type SourceIdentity, ZERO_LSN } from '@sluice/model';
import { type Endpoint, quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';
import { type Socket } from 'node:net';
import { classifyReplicationError } from './classify-replication-error.js';
import { CopyBothFraming, type Keepalive } from './copy-both-framing.js';
import { readLsn } from './pgoutput/byte-reader.js';
import { ReadPacing, TCP_PACING, UNIX_PACING } from './read-pacing.js';
import { encodeStandbyStatus } from './standby-status.js';
import { openWalConnection, type WalConnection } from './wal-connection.js';

export interface WalStreamOptions {
  readonly slotName: string;
  readonly publicationName: string;
  /** The source begins at this or at what the slot has confirmed, whichever is higher. */
  readonly startLsn: Lsn;
  /** Values come in the binary form of their types, where the type has one. The source must be PostgreSQL 14 or newer. */
  readonly binary?: boolean;
  /** Logical messages come, too, whoever emitted them. The source must be PostgreSQL 14 or newer. */
  readonly messages?: boolean;
  /** Large transactions come while they still run (protocol 2). The source must be PostgreSQL 14 or newer. */
  readonly streaming?: boolean;
  readonly applicationName: string;
  /** Ends the stream; `read` then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** How often the confirmed LSN is reported at least; bounded by 60 % of wal_sender_timeout. */
  readonly statusIntervalMs?: number;
}

/** Who gets what the source sends. The calls are synchronous; to slow the source down call `pause()`. */
export interface WalConsumer {
  /** A run of complete XLogData frames: a view, valid during the call only. */
  changes(run: Uint8Array): void;
  keepalive(keepalive: Keepalive): void;
  /** Everything that had arrived was handed out: the moment to send on what is gathered. */
  exhausted(): void;
}

/** wal_sender_timeout defaults to 60 s; well inside half of it one lost report is survivable. */
const STATUS_INTERVAL_MS = 10_000;
/** Share of wal_sender_timeout after which the source must have heard of us (I7). */
const STATUS_SHARE_OF_TIMEOUT = 0.6;
/** A confirmation frees WAL on the source; more often than this it would only cost the walsender time. */
const CONFIRM_DELAY_MS = 100;
/** The source answers our reports; silence for so many time-outs means that the connection is dead. */
const SILENCE_TIMEOUTS = 2;
/** After the farewell the server may still be sending a large transaction. */
const CLOSE_DEADLINE_MS = 1_000;

/** Starts to stream the slot's changes. @throws SluiceError 1xxx (connection), 4001 (no slot), 4002 (in use), 4003 (invalidated), 4005 (no publication). */
export async function openWalStream(endpoint: Endpoint, options: WalStreamOptions): Promise<WalStream> {
  options.signal.throwIfAborted();
  const connection = await openWalConnection(endpoint, options.applicationName);
  const stream = new WalStream(connection, options);
  await stream.start();
  return stream;
}

/**
 * One replication connection in CopyBoth mode.
 *
 * Maintained invariants: what is confirmed to the source is only what `confirm` was given, and never goes back (I1);
 * reports go out on their own timer, whether rows are read or not (I7).
 */
export class WalStream implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #connection: WalConnection;
  readonly #options: WalStreamOptions;
  readonly #framing: CopyBothFraming;
  readonly #pacing: ReadPacing;
  readonly #started = deferred();
  readonly #ended: Deferred<void> = deferred();
  #consumer: WalConsumer | null = null;
  #receivedLsn: Lsn = ZERO_LSN;
  #confirmedLsn: Lsn = ZERO_LSN;
  #isOver = false;
  #isPaused = false;
  #isGathering = false;
  #lastInboundAt = Date.now();
  #statusTimer: NodeJS.Timeout | null = null;
  #confirmTimer: NodeJS.Timeout | null = null;

  constructor(connection: WalConnection, options: WalStreamOptions) {
    this.#connection = connection;
    this.#socket = connection.socket;
    this.#options = options;
    this.#pacing = new ReadPacing(connection.isUnixSocket ? UNIX_PACING : TCP_PACING);
    this.#framing = new CopyBothFraming({
      started: () => this.#onStarted(),
      changes: (run, lastFrameOffset) => this.#onChanges(run, lastFrameOffset),
      keepalive: (keepalive) => this.#onKeepalive(keepalive),
      failed: (error) => this.#finish(error),
      ended: () => this.#finish(new Error('the source ended the stream')),
    });
    // Whoever waits gets the failure; without a waiter it must not end the process.
    this.#started.promise.catch(() => undefined);
    this.#ended.promise.catch(() => undefined);
  }

  /** How far the source's WAL has been seen here. */
  get receivedLsn(): Lsn {
    return this.#receivedLsn;
  }

  get confirmedLsn(): Lsn {
    return this.#confirmedLsn;
  }

  /** Which server, and which of its histories, this stream is read from. */
  get source(): SourceIdentity | null {
    return this.#connection.source;
  }

  /** Rows wait until `read` is called. */
  async start(): Promise<void> {
    const { slotName, startLsn, signal } = this.#options;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#socket.on('error', (error) => this.#finish(error));
    this.#socket.on('close', () => this.#finish(new Error('connection closed by the source')));
    this.#connection.takeOver({
      space: () => this.#framing.space(),
      filled: (length) => this.#onBytes(length, () => this.#framing.filled(length)),
      append: (chunk) => this.#onBytes(chunk.length, () => this.#framing.append(chunk)),
    });
    this.#send(
      queryMessage(
        `START_REPLICATION SLOT ${quoteIdentifier(slotName)} LOGICAL ${formatLsn(startLsn)} (${pluginOptions(this.#options)})`,
      ),
    );
    await this.#started.promise;
  }

  /** Hands out what the source sends until the stream is over: rejects with the reason; resolves after `close`. */
  read(consumer: WalConsumer): Promise<void> {
    assert(this.#consumer === null, 'a WAL stream has one reader');
    this.#consumer = consumer;
    this.#scheduleStatus();
    this.resume();
    if (!this.#isOver) this.#onBytes(0, () => this.#framing.release());
    return this.#ended.promise;
  }

  /** Far behind the source, the stream is read in larger pieces, which costs everybody less and comes up to 10 ms later. */
  set isBehind(isBehind: boolean) {
    this.#pacing.isBehind = isBehind;
  }

  /** Stops reading rows; reports to the source go on. At most one read buffer is still handed out. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#lastInboundAt = Date.now();
    this.#resumeSocket();
  }

  /** The target is durable up to `lsn`: the slot may move there. Lower values are ignored. */
  confirm(lsn: Lsn): void {
    if (lsn <= this.#confirmedLsn) return;
    this.#confirmedLsn = lsn;
    this.#confirmTimer ??= setTimeout(() => {
      this.#confirmTimer = null;
      this.#sendStatus(false);
    }, CONFIRM_DELAY_MS);
  }

  /** Asks the source to say at once how far it has come. */
  requestKeepalive(): void {
    this.#sendStatus(true);
  }

  /** Reports what is confirmed and ends the stream in good order. */
  async close(): Promise<void> {
    this.#finish(null);
    if (this.#socket.closed) return;
    const closed = Promise.withResolvers<void>();
    this.#socket.once('close', closed.resolve);
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_DEADLINE_MS);
    await closed.promise;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #onAbort = (): void => this.#finish(abortReason(this.#options.signal));

  #onBytes(length: number, handOut: () => void): void {
    if (this.#isOver) return;
    const now = Date.now();
    this.#lastInboundAt = now;
    try {
      handOut();
      this.#consumer?.exhausted();
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const breakMs = this.#pacing.breakAfter(length, performance.now());
    if (breakMs > 0 && !this.#isGathering) this.#gather(breakMs);
  }

  #gather(breakMs: number): void {
    this.#isGathering = true;
    this.#socket.pause();
    setTimeout(() => {
      this.#isGathering = false;
      this.#resumeSocket();
    }, breakMs);
  }

  #resumeSocket(): void {
    if (!this.#isPaused && !this.#isGathering && !this.#socket.destroyed) this.#socket.resume();
  }

  #onStarted(): void {
    this.pause();
    this.#started.resolve();
  }

  #onChanges(run: Uint8Array, lastFrameOffset: number): void {
    this.#receivedLsn = maxLsn(this.#receivedLsn, readLsn(run, lastFrameOffset + 6));
    this.#consumer?.changes(run);
  }

  #onKeepalive(keepalive: Keepalive): void {
    this.#receivedLsn = maxLsn(this.#receivedLsn, keepalive.walEnd);
    this.#consumer?.keepalive(keepalive);
    if (keepalive.isReplyRequested) this.#sendStatus(false);
  }

  #statusIntervalMs(): number {
    const { walSenderTimeoutMs } = this.#connection;
    const wantedMs = this.#options.statusIntervalMs ?? STATUS_INTERVAL_MS;
    return walSenderTimeoutMs === 0 ? wantedMs : Math.min(wantedMs, walSenderTimeoutMs * STATUS_SHARE_OF_TIMEOUT);
  }

  #scheduleStatus(): void {
    const intervalMs = this.#statusIntervalMs();
    this.#statusTimer = setInterval(() => this.#onStatusTimer(intervalMs), intervalMs);
  }

  #onStatusTimer(intervalMs: number): void {
    const { walSenderTimeoutMs } = this.#connection;
    const silentMs = Date.now() - this.#lastInboundAt;
    // Bytes that we do not read are no silence of the source.
    if (!this.#isPaused && walSenderTimeoutMs > 0 && silentMs > SILENCE_TIMEOUTS * walSenderTimeoutMs) {
      this.#finish(new Error(`the source has been silent for ${silentMs} ms`));
      return;
    }
    // An idle source sends nothing by itself; its answer shows that the connection lives.
    this.#sendStatus(!this.#isPaused && silentMs >= intervalMs);
  }

  #sendStatus(requestsReply: boolean): void {
    if (this.#isOver) return;
    const receivedLsn = maxLsn(this.#receivedLsn, this.#confirmedLsn);
    this.#send(encodeStandbyStatus({ receivedLsn, confirmedLsn: this.#confirmedLsn, requestsReply }));
  }

  #send(message: Buffer): void {
    if (this.#socket.writable) this.#socket.write(message);
  }

  /** @param reason null when the stream was closed here. */
  #finish(reason: Error | null): void {
    if (this.#isOver) return;
    // The last report carries what was confirmed within CONFIRM_DELAY_MS; it must leave before the farewell.
    this.#sendStatus(false);
    this.#isOver = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    if (this.#statusTimer) clearInterval(this.#statusTimer);
    if (this.#confirmTimer) clearTimeout(this.#confirmTimer);
    this.#send(Buffer.concat([COPY_DONE, TERMINATE]));
    this.#socket.end();
    // What still arrives must be taken in, or the end of the connection would never be seen.
    this.#socket.resume();
    if (reason === null) {
      this.#ended.resolve();
      this.#started.reject(new SluiceError('SLUICE-1012', { detail: 'the stream was closed before it started' }));
      return;
    }
    setTimeout(() => this.#socket.destroy(), CLOSE_DEADLINE_MS).unref();
    const failure = reason.name === 'AbortError' ? reason : classifyReplicationError(reason, this.#options.slotName);
    this.#started.reject(failure);
    this.#ended.reject(failure);
  }
}

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/** https://www.postgresql.org/docs/current/protocol-logical-replication.html#PROTOCOL-LOGICAL-REPLICATION-PARAMS */
function pluginOptions({ publicationName, binary, messages, streaming }: WalStreamOptions): string {
  return [
    `proto_version '${streaming ? 2 : 1}'`,
    `publication_names ${quoteLiteral(quoteIdentifier(publicationName)).trimStart()}`,
    ...(binary ? ["binary 'true'"] : []),
    ...(messages ? ["messages 'true'"] : []),
    ...(streaming ? ["streaming 'on'"] : []),
  ].join(', ');
}

function queryMessage(text: string): Buffer {
  const body = Buffer.from(`${text}\0`, 'utf8');
  const header = Buffer.alloc(5);
  header.write('Q', 0, 'latin1');
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}
