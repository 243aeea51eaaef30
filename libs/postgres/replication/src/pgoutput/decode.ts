import { type Brand } from '@sluice/kernel';
import { type Lsn } from '@sluice/model';
import { protocolViolation } from '../protocol-error.js';
import { ByteReader } from './byte-reader.js';
import { MESSAGE_KIND } from './message-kind.js';

/** Unsigned; OIDs above 2^31 exist. */
export type RelationOid = Brand<number, 'RelationOid'>;

export function relationOid(value: number): RelationOid {
  return value as RelationOid;
}

/** d = primary key, n = nothing, f = the whole row, i = an index. */
export type ReplicaIdentity = 'd' | 'n' | 'f' | 'i';

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity. */
  readonly isKey: boolean;
}

export interface Relation {
  readonly oid: RelationOid;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: ReplicaIdentity;
  readonly columns: readonly RelationColumn[];
}

export interface Begin {
  /** LSN of the commit record. */
  readonly commitLsn: Lsn;
  /** Microseconds since 2000-01-01 UTC. */
  readonly commitTimeMicros: bigint;
  readonly xid: number;
}

export interface Commit {
  readonly commitLsn: Lsn;
  /** First byte after the commit record: what is confirmed, never plus one. */
  readonly endLsn: Lsn;
  readonly commitTimeMicros: bigint;
}

/** Changes of a transaction that is still running follow. */
export interface StreamStart {
  readonly xid: number;
  /** Nothing of it came before in this connection. */
  readonly isFirst: boolean;
}

/** The commit of a transaction that was streamed. */
export interface StreamCommit extends Commit {
  readonly xid: number;
}

/** What was streamed of a subtransaction is void, or of all of the transaction (`subxid` is `xid`). */
export interface StreamAbort {
  readonly xid: number;
  readonly subxid: number;
}

export interface Truncate {
  readonly relationOids: readonly RelationOid[];
  readonly cascade: boolean;
  readonly restartIdentity: boolean;
}

export interface LogicalMessage {
  readonly isTransactional: boolean;
  readonly lsn: Lsn;
  readonly prefix: string;
  /** A view into the buffer. */
  readonly content: Uint8Array;
}

export interface Origin {
  readonly originLsn: Lsn;
  readonly name: string;
}

export interface TypeName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** What is sent for pg_catalog, https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html */
const PG_CATALOG = 'pg_catalog';
const REPLICA_IDENTITIES: readonly ReplicaIdentity[] = ['d', 'n', 'f', 'i'];
const KEY_FLAG = 1;
const CASCADE_FLAG = 1;
const RESTART_FLAG = 2;
const TRANSACTIONAL_FLAG = 1;

/** All decoders take the offset of the message's kind byte. @throws SLUICE-4004 for bytes that are no such message. */
export function decodeRelation(buffer: Uint8Array, offset: number): Relation {
  const reader = open(buffer, offset, MESSAGE_KIND.relation);
  const oid = readRelationOid(reader);
  const schema = reader.cstring() || PG_CATALOG;
  const name = reader.cstring();
  const identityByte = String.fromCharCode(reader.uint8());
  const replicaIdentity = REPLICA_IDENTITIES.find((identity) => identity === identityByte);
  if (!replicaIdentity) throw protocolViolation('unknown replica identity', offset);
  const columnCount = reader.uint16();
  const columns: RelationColumn[] = [];
  for (let index = 0; index < columnCount; index += 1) {
    const isKey = (reader.uint8() & KEY_FLAG) !== 0;
    columns.push({ isKey, name: reader.cstring(), typeOid: reader.uint32(), typeModifier: reader.int32() });
  }
  return { oid, schema, name, replicaIdentity, columns };
}

export function decodeBegin(buffer: Uint8Array, offset: number): Begin {
  const reader = open(buffer, offset, MESSAGE_KIND.begin);
  return { commitLsn: reader.lsn(), commitTimeMicros: reader.int64(), xid: reader.uint32() };
}

export function decodeCommit(buffer: Uint8Array, offset: number): Commit {
  const reader = open(buffer, offset, MESSAGE_KIND.commit);
  reader.uint8();
  return { commitLsn: reader.lsn(), endLsn: reader.lsn(), commitTimeMicros: reader.int64() };
}

export function decodeStreamStart(buffer: Uint8Array, offset: number): StreamStart {
  const reader = open(buffer, offset, MESSAGE_KIND.streamStart);
  return { xid: reader.uint32(), isFirst: reader.uint8() === 1 };
}

export function decodeStreamCommit(buffer: Uint8Array, offset: number): StreamCommit {
  const reader = open(buffer, offset, MESSAGE_KIND.streamCommit);
  const xid = reader.uint32();
  reader.uint8();
  return { xid, commitLsn: reader.lsn(), endLsn: reader.lsn(), commitTimeMicros: reader.int64() };
}

export function decodeStreamAbort(buffer: Uint8Array, offset: number): StreamAbort {
  const reader = open(buffer, offset, MESSAGE_KIND.streamAbort);
  return { xid: reader.uint32(), subxid: reader.uint32() };
}

export function decodeTruncate(buffer: Uint8Array, offset: number): Truncate {
  const reader = open(buffer, offset, MESSAGE_KIND.truncate);
  const relationCount = reader.uint32();
  const flags = reader.uint8();
  // Checked before the loop, so that a wrong count cannot ask for gigabytes.
  if (relationCount * 4 > buffer.length - reader.offset) throw protocolViolation('message is cut short', offset);
  const relationOids = Array.from({ length: relationCount }, () => readRelationOid(reader));
  return { relationOids, cascade: (flags & CASCADE_FLAG) !== 0, restartIdentity: (flags & RESTART_FLAG) !== 0 };
}

export function decodeMessage(buffer: Uint8Array, offset: number): LogicalMessage {
  const reader = open(buffer, offset, MESSAGE_KIND.message);
  const isTransactional = (reader.uint8() & TRANSACTIONAL_FLAG) !== 0;
  const lsn = reader.lsn();
  const prefix = reader.cstring();
  return { isTransactional, lsn, prefix, content: reader.bytes(reader.uint32()) };
}

export function decodeOrigin(buffer: Uint8Array, offset: number): Origin {
  const reader = open(buffer, offset, MESSAGE_KIND.origin);
  return { originLsn: reader.lsn(), name: reader.cstring() };
}

export function decodeType(buffer: Uint8Array, offset: number): TypeName {
  const reader = open(buffer, offset, MESSAGE_KIND.type);
  return { oid: reader.uint32(), schema: reader.cstring() || PG_CATALOG, name: reader.cstring() };
}

function open(buffer: Uint8Array, offset: number, kind: number): ByteReader {
  const reader = new ByteReader(buffer, offset);
  reader.expect(kind);
  return reader;
}

function readRelationOid(reader: ByteReader): RelationOid {
  return relationOid(reader.uint32());
}
