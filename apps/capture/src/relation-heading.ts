import {
  decodeTruncate,
  FRAME_HEADER_BYTES,
  type FrameCursor,
  MESSAGE_KIND,
  relationOid,
  type RelationOid,
  STREAMED_FRAME_HEADER_BYTES,
} from '@sluice/postgres-replication';

const OID_BYTES = 4;

/**
 * The Relation frames that a batch must begin with, so that it can be understood without the batches before it.
 *
 * Maintained invariant: the heading holds, for every relation that the batch changes before it brings the relation's
 * frame itself, the frame that was the newest when that change came.
 */
export class RelationHeading {
  readonly #newest = new Map<RelationOid, Buffer>();
  /** Relations that the batch knows, by its heading or by a frame of its own. */
  readonly #known = new Set<RelationOid>();
  #frames: Buffer[] = [];
  #sizeBytes = 0;
  /** The relation of the frame before: nearly always the same one again. */
  #lastOid: RelationOid | null = null;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What the heading would grow by if the frame were added to the batch, bytes. */
  growthFor(frame: FrameCursor): number {
    return this.#missing(frame).reduce((sum, oid) => sum + (this.#newest.get(oid)?.length ?? 0), 0);
  }

  /** The Relation frames by which it would grow. */
  missingFor(frame: FrameCursor): readonly Buffer[] {
    return this.#missing(frame).flatMap((oid) => this.#newest.get(oid) ?? []);
  }

  /** The frame becomes part of the batch. */
  add(frame: FrameCursor): void {
    if (frame.kind === MESSAGE_KIND.relation) {
      const oid = oidOf(frame);
      this.#newest.set(oid, Buffer.from(frame.bytes));
      this.#known.add(oid);
      return;
    }
    for (const oid of this.#missing(frame)) {
      const relation = this.#newest.get(oid);
      // A relation that the source never described belongs to a change without columns, which needs none.
      if (relation) {
        this.#frames.push(relation);
        this.#sizeBytes += relation.length;
      }
      this.#known.add(oid);
    }
  }

  /** What a streamed transaction was told of its relations holds for all that follow its commit: the source does not repeat it. */
  adopt(streamed: RelationHeading): void {
    for (const [oid, relation] of streamed.#newest) this.#newest.set(oid, withoutXid(relation));
  }

  /** Writes the heading to the begin of `buffer`. */
  writeTo(buffer: Buffer): void {
    let offset = 0;
    for (const frame of this.#frames) offset += frame.copy(buffer, offset);
  }

  /** The next batch begins: it knows nothing. */
  reset(): void {
    this.#known.clear();
    this.#frames = [];
    this.#sizeBytes = 0;
    this.#lastOid = null;
  }

  #missing(frame: FrameCursor): readonly RelationOid[] {
    switch (frame.kind) {
      case MESSAGE_KIND.insert:
      case MESSAGE_KIND.update:
      case MESSAGE_KIND.delete: {
        const oid = oidOf(frame);
        if (oid === this.#lastOid || this.#known.has(oid)) {
          this.#lastOid = oid;
          return NONE;
        }
        return [oid];
      }
      case MESSAGE_KIND.truncate:
        return decodeTruncate(frame.buffer, frame.payloadOffset).relationOids.filter((oid) => !this.#known.has(oid));
      default:
        return NONE;
    }
  }
}

const NONE: readonly RelationOid[] = [];

/** The frame of a description as it comes outside of streamed blocks. */
function withoutXid(streamed: Buffer): Buffer {
  const message = streamed.subarray(STREAMED_FRAME_HEADER_BYTES);
  const relation = Buffer.concat([streamed.subarray(0, FRAME_HEADER_BYTES), message]);
  relation.writeUInt32BE(relation.length - 1, 1);
  return relation;
}

function oidOf(frame: FrameCursor): RelationOid {
  const { buffer, payloadOffset, end } = frame;
  // The relation's OID follows the kind of a row change or a description.
  const at = payloadOffset + 1;
  if (at + OID_BYTES > end) return relationOid(0);
  return relationOid(
    (((buffer[at] ?? 0) << 24) |
      ((buffer[at + 1] ?? 0) << 16) |
      ((buffer[at + 2] ?? 0) << 8) |
      (buffer[at + 3] ?? 0)) >>>
      0,
  );
}
