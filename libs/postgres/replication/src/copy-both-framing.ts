import { type Lsn } from '@sluice/model';
import { ServerError } from './classify-replication-error.js';
import { ByteReader, readLsn, readUint32 } from './pgoutput/byte-reader.js';
import { protocolViolation } from './protocol-error.js';

export interface Keepalive {
  /** End of WAL that the source has decoded: nothing below it will still come outside of what was sent before. */
  readonly walEnd: Lsn;
  readonly isReplyRequested: boolean;
}

export interface FramingEvents {
  /** The source accepted START_REPLICATION. */
  started(): void;
  /** A run of complete XLogData frames. A view that is valid during the call only. */
  changes(run: Uint8Array, lastFrameOffset: number): void;
  keepalive(keepalive: Keepalive): void;
  /** The server reported an error; it ends the stream. */
  failed(error: ServerError): void;
  /** The server has ended the stream in good order. */
  ended(): void;
}

const code = (letter: string): number => letter.charCodeAt(0);
const COPY_DATA = code('d');
const XLOG_DATA = code('w');
const KEEPALIVE = code('k');
const KEEPALIVE_BYTES = 23;
const HEADER_BYTES = 5;

/** Large enough that a busy source fills it rarely, small enough to stay in the processor's cache. */
const READ_BUFFER_BYTES = 256 * 1024;
/** PostgreSQL's own bound of a message is 1 GiB; what says more is no message. */
const MESSAGE_BYTES_MAX = 1024 * 1024 * 1024;

/**
 * Cuts the bytes of a socket into messages, in place: the socket reads into `space()`, `filled()` hands out what is complete.
 *
 * Maintained invariant: `#buffer[0 .. #fill)` holds the begin of one incomplete message and nothing else between calls.
 */
export class CopyBothFraming {
  readonly #events: FramingEvents;
  #buffer: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #fill = 0;
  #isHeld = false;

  constructor(events: FramingEvents) {
    this.#events = events;
  }

  /** Where the next bytes go; never empty. */
  space(): Buffer {
    return this.#buffer.subarray(this.#fill);
  }

  /** `length` bytes were written to `space()`. */
  filled(length: number): void {
    const limit = this.#fill + length;
    const rest = this.#handOut(limit);
    this.#fill = limit - rest;
    this.#fitBuffer(rest, limit);
  }

  /** Hands out what came with the answer to START_REPLICATION and, from now on, everything. */
  release(): void {
    this.#isHeld = false;
    this.filled(0);
  }

  /** For sockets that bring their own buffers (TLS). */
  append(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length;) {
      const space = this.space();
      const length = Math.min(space.length, chunk.length - offset);
      space.set(chunk.subarray(offset, offset + length));
      this.filled(length);
      offset += length;
    }
  }

  /** Hands out all complete messages below `limit`; returns where the incomplete one begins. */
  #handOut(limit: number): number {
    const buffer = this.#buffer;
    let runStart = 0;
    let lastFrame = 0;
    let at = 0;
    while (at + HEADER_BYTES <= limit && !this.#isHeld) {
      const end = at + 1 + messageLength(buffer, at);
      if (end > limit) break;
      if (buffer[at] !== COPY_DATA || buffer[at + HEADER_BYTES] !== XLOG_DATA) {
        if (at > runStart) this.#events.changes(buffer.subarray(runStart, at), lastFrame - runStart);
        this.#control(at, end);
        runStart = end;
      }
      lastFrame = at;
      at = end;
    }
    if (at > runStart) this.#events.changes(buffer.subarray(runStart, at), lastFrame - runStart);
    return at;
  }

  #control(at: number, end: number): void {
    const buffer = this.#buffer;
    switch (String.fromCharCode(buffer[at] ?? 0)) {
      case 'd':
        if (buffer[at + HEADER_BYTES] !== KEEPALIVE || end - at !== KEEPALIVE_BYTES)
          throw protocolViolation('unknown CopyData message', at);
        this.#events.keepalive({ walEnd: readLsn(buffer, at + 6), isReplyRequested: buffer[at + 22] === 1 });
        break;
      case 'E':
        this.#events.failed(parseErrorResponse(buffer.subarray(at + HEADER_BYTES, end)));
        break;
      case 'W':
        // Rows may stand right behind it in the buffer, before anybody can be there to take them.
        this.#isHeld = true;
        this.#events.started();
        break;
      case 'c':
        this.#events.ended();
        break;
      case 'N': // notice
      case 'S': // a setting was reported
      case 'C': // command complete, after the end
      case 'Z': // ready for query, after the end
        break;
      default:
        throw protocolViolation('unexpected message of the server', at);
    }
  }

  /** Moves the incomplete message to the front and makes the buffer large enough for it, or small again after a large one. */
  #fitBuffer(rest: number, limit: number): void {
    const needed = this.#fill >= HEADER_BYTES ? messageLength(this.#buffer, rest) + 1 : 0;
    const capacity = Math.max(READ_BUFFER_BYTES, needed);
    if (capacity === this.#buffer.length) {
      if (rest > 0) this.#buffer.copyWithin(0, rest, limit);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(buffer, 0, rest, limit);
    this.#buffer = buffer;
  }
}

function messageLength(buffer: Uint8Array, at: number): number {
  const length = readUint32(buffer, at + 1);
  if (length < 4 || length > MESSAGE_BYTES_MAX) throw protocolViolation('message of impossible length', at);
  return length;
}

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
function parseErrorResponse(body: Uint8Array): ServerError {
  const reader = new ByteReader(body, 0);
  const fields = new Map<string, string>();
  for (let field = reader.uint8(); field !== 0; field = reader.uint8()) {
    fields.set(String.fromCharCode(field), reader.cstring());
  }
  return new ServerError(fields.get('C') ?? 'XX000', fields.get('M') ?? 'error without a message');
}
