import { type Lsn } from '@sluice/model';
import { protocolViolation } from '../protocol-error.js';
import { readLsn, readUint32 } from './byte-reader.js';

/** `d`, int32 length, `w`, int64 dataStart, int64 walEnd, int64 sendTime come before the pgoutput message. */
export const FRAME_HEADER_BYTES = 30;
const COPY_DATA = 'd'.charCodeAt(0);
const XLOG_DATA = 'w'.charCodeAt(0);

/**
 * Walks over a run of XLogData CopyData frames without making an object per frame.
 *
 * Maintained invariant: after `advance()` returned true, `offset < payloadOffset < end <= limit`, and `kind` is the
 * first byte of the pgoutput message. After it returned false, `end` is the offset up to which frames are complete.
 */
export class FrameCursor implements Iterable<FrameCursor> {
  readonly buffer: Uint8Array;
  readonly limit: number;
  /** First byte of the frame. */
  offset: number;
  /** First byte of the pgoutput message. */
  payloadOffset: number;
  /** First byte after the frame. */
  end: number;
  /** First byte of the pgoutput message, see MESSAGE_KIND. */
  kind = 0;

  constructor(buffer: Uint8Array, start = 0, limit = buffer.length) {
    this.buffer = buffer;
    this.limit = limit;
    this.offset = start;
    this.payloadOffset = start;
    this.end = start;
  }

  /** Goes to the next complete frame; false when none is left (an incomplete one may be: `end < limit`). */
  advance(): boolean {
    const start = this.end;
    const { buffer, limit } = this;
    if (limit - start < 5) return false;
    if (buffer[start] !== COPY_DATA) throw protocolViolation('expected a CopyData frame', start);
    const length = readUint32(buffer, start + 1);
    if (length < FRAME_HEADER_BYTES) throw protocolViolation('XLogData frame without a message', start);
    if (start + 1 + length > limit) return false;
    if (buffer[start + 5] !== XLOG_DATA) throw protocolViolation('expected an XLogData frame', start);
    this.offset = start;
    this.payloadOffset = start + FRAME_HEADER_BYTES;
    this.end = start + 1 + length;
    this.kind = buffer[this.payloadOffset] ?? 0;
    return true;
  }

  /** `dataStart`: for a commit its end LSN; 0/0 in frames that have no position of their own. */
  get lsn(): Lsn {
    return readLsn(this.buffer, this.offset + 6);
  }

  /** The frame with its header. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(this.offset, this.end);
  }

  /** True when every byte belongs to a complete frame. */
  get isAtEnd(): boolean {
    return this.end === this.limit;
  }

  /** Yields itself for each frame; what it shows is valid until the next one. @throws SLUICE-4004 when bytes are left over. */
  *[Symbol.iterator](): Generator<FrameCursor> {
    while (this.advance()) yield this;
    if (!this.isAtEnd) throw protocolViolation('incomplete frame', this.end);
  }
}

/** The frames of a run, in order; `advance()` in hot loops, `for … of` elsewhere. */
export function frames(buffer: Uint8Array, start = 0, limit = buffer.length): FrameCursor {
  return new FrameCursor(buffer, start, limit);
}
