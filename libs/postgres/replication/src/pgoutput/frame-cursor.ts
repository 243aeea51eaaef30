import { type Lsn } from '@sluice/model';
import { protocolViolation } from '../protocol-error.js';
import { readLsn, readUint32 } from './byte-reader.js';

/** `d`, int32 length, `w`, int64 dataStart, int64 walEnd, int64 sendTime come before the pgoutput message. */
export const FRAME_HEADER_BYTES = 30;
const XID_BYTES = 4;
/** The header of a streamed frame in the change stream: the xid, behind the message's kind when it comes, is moved before it. */
export const STREAMED_FRAME_HEADER_BYTES = FRAME_HEADER_BYTES + XID_BYTES;
const COPY_DATA = 'd'.charCodeAt(0);
const XLOG_DATA = 'w'.charCodeAt(0);

export interface FrameRange {
  readonly start?: number;
  readonly limit?: number;
  /** The frames have the header of streamed ones. */
  readonly isStreamed?: boolean;
}

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
  readonly #headerBytes: number;

  constructor(buffer: Uint8Array, range: FrameRange = {}) {
    const { start = 0, limit = buffer.length, isStreamed = false } = range;
    this.buffer = buffer;
    this.limit = limit;
    this.#headerBytes = isStreamed ? STREAMED_FRAME_HEADER_BYTES : FRAME_HEADER_BYTES;
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
    if (length < this.#headerBytes) throw protocolViolation('XLogData frame without a message', start);
    if (start + 1 + length > limit) return false;
    if (buffer[start + 5] !== XLOG_DATA) throw protocolViolation('expected an XLogData frame', start);
    this.offset = start;
    this.payloadOffset = start + this.#headerBytes;
    this.end = start + 1 + length;
    this.kind = buffer[this.payloadOffset] ?? 0;
    return true;
  }

  /** `dataStart`: for a commit its end LSN; 0/0 in frames that have no position of their own. */
  get lsn(): Lsn {
    return readLsn(this.buffer, this.offset + 6);
  }

  /**
   * Makes a frame as the source sends it inside a streamed block one with the header of a streamed frame, in place: from
   * there on the message looks like that of any other transaction.
   */
  moveXidForward(): void {
    const { buffer, payloadOffset } = this;
    if (this.end - payloadOffset <= XID_BYTES)
      throw protocolViolation('streamed message without its xid', payloadOffset);
    // Byte by byte: a call for each of millions of frames would cost more than the bytes.
    for (let at = payloadOffset; at < payloadOffset + XID_BYTES; at += 1) buffer[at] = buffer[at + 1] ?? 0;
    buffer[payloadOffset + XID_BYTES] = this.kind;
    this.payloadOffset = payloadOffset + XID_BYTES;
  }

  /** Of a streamed frame: the (sub)transaction that made the change. */
  get xid(): number {
    return readUint32(this.buffer, this.payloadOffset - XID_BYTES);
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
export function frames(buffer: Uint8Array, range?: FrameRange): FrameCursor {
  return new FrameCursor(buffer, range);
}
