const HEADER_BYTES = 5;
const COPY_DATA = 0x64; // 'd'

export interface FrameReceiver {
  /** A run of CopyData frames exactly as they came, headers included; it may begin and end inside a frame. */
  onCopyData(bytes: Buffer): void;
  /** Bytes of the other messages, in order. */
  onOther(bytes: Buffer): void;
}

/**
 * Divides what a server sends during COPY … TO STDOUT into CopyData and everything else, without looking into a row.
 * A frame is one type byte and a length that counts itself (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 *
 * Maintained invariant: each byte goes to exactly one of the two receivers, in order, and none is copied but a header
 * that two network reads share.
 */
export class CopyFrames {
  readonly #receiver: FrameReceiver;
  readonly #header = Buffer.allocUnsafe(HEADER_BYTES);
  #headerBytes = 0;
  #bodyBytesLeft = 0;
  #kind = 0;
  #payloadBytes = 0;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  /** Bytes inside CopyData frames, without their headers. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  feed(chunk: Buffer): void {
    let position = 0;
    let runStart = 0;
    let runKind = this.#kind;
    const endRun = (): void => {
      if (position > runStart) this.#emit(runKind, chunk.subarray(runStart, position));
      runStart = position;
    };
    while (position < chunk.length) {
      if (this.#bodyBytesLeft === 0) {
        const isWhole = this.#headerBytes === 0 && chunk.length - position >= HEADER_BYTES;
        if (!isWhole) {
          endRun();
          position = this.#gatherHeader(chunk, position);
          runStart = position;
          runKind = this.#kind;
          continue;
        }
        const kind = chunk[position] ?? 0;
        if ((kind === COPY_DATA) !== (runKind === COPY_DATA)) endRun();
        runKind = kind;
        this.#begin(kind, chunk.readUInt32BE(position + 1));
        position += HEADER_BYTES;
      }
      const step = Math.min(this.#bodyBytesLeft, chunk.length - position);
      this.#bodyBytesLeft -= step;
      position += step;
    }
    endRun();
  }

  /** Completes a header whose bytes came in two reads, and passes it on once it is whole. */
  #gatherHeader(chunk: Buffer, position: number): number {
    const taken = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length - position);
    chunk.copy(this.#header, this.#headerBytes, position, position + taken);
    this.#headerBytes += taken;
    if (this.#headerBytes === HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#begin(this.#header[0] ?? 0, this.#header.readUInt32BE(1));
      this.#emit(this.#kind, Buffer.from(this.#header));
    }
    return position + taken;
  }

  #begin(kind: number, lengthBytes: number): void {
    this.#kind = kind;
    this.#bodyBytesLeft = lengthBytes - 4;
    if (kind === COPY_DATA) this.#payloadBytes += this.#bodyBytesLeft;
  }

  #emit(kind: number, bytes: Buffer): void {
    if (kind === COPY_DATA) this.#receiver.onCopyData(bytes);
    else this.#receiver.onOther(bytes);
  }
}
