import { type Lsn, lsnFromBigInt } from '@sluice/model';
import { protocolViolation } from '../protocol-error.js';

/** An int32, big-endian, unsigned. @throws SLUICE-4004 instead of reading past the end. */
export function readUint32(buffer: Uint8Array, offset: number): number {
  if (offset + 4 > buffer.length) throw protocolViolation('message is cut short', offset);
  return (
    ((byte(buffer, offset) << 24) |
      (byte(buffer, offset + 1) << 16) |
      (byte(buffer, offset + 2) << 8) |
      byte(buffer, offset + 3)) >>>
    0
  );
}

export function readUint16(buffer: Uint8Array, offset: number): number {
  if (offset + 2 > buffer.length) throw protocolViolation('message is cut short', offset);
  return (byte(buffer, offset) << 8) | byte(buffer, offset + 1);
}

export function readUint8(buffer: Uint8Array, offset: number): number {
  if (offset >= buffer.length) throw protocolViolation('message is cut short', offset);
  return byte(buffer, offset);
}

export function readUint64(buffer: Uint8Array, offset: number): bigint {
  return (BigInt(readUint32(buffer, offset)) << 32n) | BigInt(readUint32(buffer, offset + 4));
}

export function readLsn(buffer: Uint8Array, offset: number): Lsn {
  return lsnFromBigInt(readUint64(buffer, offset));
}

/** In bounds by the caller's check, so that the hot path pays no second one. */
function byte(buffer: Uint8Array, offset: number): number {
  return buffer[offset] ?? 0;
}

/** Reads the fields of one message in order. Every read past the end throws SLUICE-4004. */
export class ByteReader {
  readonly #buffer: Uint8Array;
  #offset: number;

  constructor(buffer: Uint8Array, offset: number) {
    this.#buffer = buffer;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  uint8(): number {
    this.#offset += 1;
    return readUint8(this.#buffer, this.#offset - 1);
  }

  uint16(): number {
    this.#offset += 2;
    return readUint16(this.#buffer, this.#offset - 2);
  }

  uint32(): number {
    this.#offset += 4;
    return readUint32(this.#buffer, this.#offset - 4);
  }

  int32(): number {
    return this.uint32() | 0;
  }

  uint64(): bigint {
    this.#offset += 8;
    return readUint64(this.#buffer, this.#offset - 8);
  }

  /** Microseconds since 2000-01-01; may be negative. */
  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  lsn(): Lsn {
    return lsnFromBigInt(this.uint64());
  }

  cstring(): string {
    const end = this.#buffer.indexOf(0, this.#offset);
    if (end < 0) throw protocolViolation('text without an end', this.#offset);
    const text = toBuffer(this.#buffer).toString('utf8', this.#offset, end);
    this.#offset = end + 1;
    return text;
  }

  bytes(length: number): Uint8Array {
    if (length > this.#buffer.length - this.#offset) throw protocolViolation('message is cut short', this.#offset);
    this.#offset += length;
    return this.#buffer.subarray(this.#offset - length, this.#offset);
  }

  expect(kind: number): void {
    const at = this.#offset;
    if (this.uint8() !== kind) throw protocolViolation(`expected a message '${String.fromCharCode(kind)}'`, at);
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
