import { protocolViolation } from '../protocol-error.js';
import { readUint16, readUint32, readUint8 } from './byte-reader.js';
import { relationOid, type RelationOid } from './decode.js';
import { CELL_KIND, MESSAGE_KIND } from './message-kind.js';

/** Where the parts of an insert, update or delete lie; no value is read. */
export interface RowChange {
  relationOid: RelationOid;
  operation: 'I' | 'U' | 'D';
  /** K: the old key, O: the whole old row; null when none was sent. */
  oldKind: 'K' | 'O' | null;
  /** Offset for `readTuple`; -1 when there is none. */
  oldTupleOffset: number;
  newTupleOffset: number;
}

/** The cells of one tuple. Reused: `readTuple` overwrites it. Offsets are into the buffer that was read. */
export class TupleView {
  /** Columns that are valid in the arrays. */
  count = 0;
  /** First byte after the tuple. */
  end = 0;
  /** See CELL_KIND. */
  kinds: Int32Array;
  /** First byte of the value; its int32 length stands in the four bytes before it. Undefined for null and unchanged cells. */
  starts: Int32Array;
  lengths: Int32Array;

  constructor(capacity = 32) {
    this.kinds = new Int32Array(capacity);
    this.starts = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
  }

  /** Makes room for a table with more columns. */
  reserve(columnCount: number): void {
    if (columnCount <= this.kinds.length) return;
    const capacity = Math.max(columnCount, this.kinds.length * 2);
    this.kinds = new Int32Array(capacity);
    this.starts = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
  }
}

const NEW_TUPLE = 'N'.charCodeAt(0);
const OLD_KEY = 'K'.charCodeAt(0);
const OLD_ROW = 'O'.charCodeAt(0);

export function newRowChange(): RowChange {
  return { relationOid: relationOid(0), operation: 'I', oldKind: null, oldTupleOffset: -1, newTupleOffset: -1 };
}

/**
 * The structure of the row change at `payloadOffset`.
 * @param out is filled and returned, so that a hot loop needs no object per change.
 */
export function rowChange(buffer: Uint8Array, payloadOffset: number, out: RowChange = newRowChange()): RowChange {
  out.operation = operationOf(readUint8(buffer, payloadOffset), payloadOffset);
  out.relationOid = relationOid(readUint32(buffer, payloadOffset + 1));
  out.oldKind = null;
  out.oldTupleOffset = -1;
  out.newTupleOffset = -1;
  let offset = payloadOffset + 5;
  let tag = readUint8(buffer, offset);
  if (out.operation !== 'I' && (tag === OLD_KEY || tag === OLD_ROW)) {
    out.oldKind = tag === OLD_KEY ? 'K' : 'O';
    out.oldTupleOffset = offset + 1;
    if (out.operation === 'D') return out;
    offset = skipTuple(buffer, offset + 1);
    tag = readUint8(buffer, offset);
  }
  if (tag !== NEW_TUPLE || out.operation === 'D') throw protocolViolation('row change without its tuple', offset);
  out.newTupleOffset = offset + 1;
  return out;
}

function operationOf(kind: number, offset: number): 'I' | 'U' | 'D' {
  switch (kind) {
    case MESSAGE_KIND.insert:
      return 'I';
    case MESSAGE_KIND.update:
      return 'U';
    case MESSAGE_KIND.delete:
      return 'D';
    default:
      throw protocolViolation('expected a row change', offset);
  }
}

/** Fills `out` with where the cells of the tuple at `offset` lie. */
export function readTuple(buffer: Uint8Array, offset: number, out: TupleView): TupleView {
  const count = readUint16(buffer, offset);
  out.reserve(count);
  const { kinds, starts, lengths } = out;
  let at = offset + 2;
  for (let index = 0; index < count; index += 1) {
    const kind = readUint8(buffer, at);
    kinds[index] = kind;
    at += 1;
    if (kind === CELL_KIND.text || kind === CELL_KIND.binary) {
      const length = readUint32(buffer, at);
      starts[index] = at + 4;
      lengths[index] = length;
      at += 4 + length;
      if (at > buffer.length) throw protocolViolation('cell is cut short', offset);
    } else if (kind !== CELL_KIND.null && kind !== CELL_KIND.unchanged) {
      throw protocolViolation('unknown kind of cell', at - 1);
    }
  }
  out.count = count;
  out.end = at;
  return out;
}

/** The first byte after the tuple at `offset`. */
function skipTuple(buffer: Uint8Array, offset: number): number {
  const count = readUint16(buffer, offset);
  let at = offset + 2;
  for (let index = 0; index < count; index += 1) {
    const kind = readUint8(buffer, at);
    at += 1;
    if (kind === CELL_KIND.text || kind === CELL_KIND.binary) at += 4 + readUint32(buffer, at);
    else if (kind !== CELL_KIND.null && kind !== CELL_KIND.unchanged)
      throw protocolViolation('unknown kind of cell', at - 1);
  }
  return at;
}
