import { SluiceError } from '@sluice/contracts';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** All parts of a workbook together, unpacked: 20,000 lines take about a tenth. */
const UNPACKED_BYTES_MAX = 32 * 1024 * 1024;
/** A workbook of one sheet has a dozen. */
const ENTRIES_MAX = 200;

const END_SIGNATURE = 0x06_05_4b_50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 0xffff;
const ENTRY_SIGNATURE = 0x02_01_4b_50;
const ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04_03_4b_50;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Unpacks an archive, never more than a bound, whatever its headers say of sizes.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
 * @throws SluiceError 6001 when it is none, or is larger unpacked.
 */
export function unpackZip(archive: Uint8Array): ZipEntry[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  try {
    return unpack(bytes);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    // Offsets that lead out of the archive, or data that is not what its header says.
    throw notReadable('it is damaged', error);
  }
}

function unpack(bytes: Buffer): ZipEntry[] {
  const end = findEnd(bytes);
  const count = bytes.readUInt16LE(end + 10);
  if (count > ENTRIES_MAX) throw notReadable(`it has more than ${ENTRIES_MAX} parts`);
  const entries: ZipEntry[] = [];
  let at = bytes.readUInt32LE(end + 16);
  let left = UNPACKED_BYTES_MAX;
  for (let index = 0; index < count; index += 1) {
    if (bytes.readUInt32LE(at) !== ENTRY_SIGNATURE) throw notReadable('its directory is damaged');
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
    const content = unpackEntry(bytes, { at, bytesMax: left });
    left -= content.length;
    entries.push({ name, bytes: content });
    at += ENTRY_BYTES + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function findEnd(bytes: Buffer): number {
  for (let at = bytes.length - END_BYTES; at >= Math.max(0, bytes.length - END_BYTES - COMMENT_BYTES_MAX); at -= 1)
    if (bytes.readUInt32LE(at) === END_SIGNATURE) return at;
  throw notReadable('it is no workbook');
}

function unpackEntry(bytes: Buffer, { at, bytesMax }: { readonly at: number; readonly bytesMax: number }): Uint8Array {
  const isEncrypted = (bytes.readUInt16LE(at + 8) & 1) === 1;
  const method = bytes.readUInt16LE(at + 10);
  const packedLength = bytes.readUInt32LE(at + 20);
  const local = bytes.readUInt32LE(at + 42);
  if (isEncrypted || (method !== STORED && method !== DEFLATED))
    throw notReadable('it is packed in a way that is not known');
  if (bytes.readUInt32LE(local) !== LOCAL_SIGNATURE) throw notReadable('a part is not where it should be');
  const start = local + LOCAL_BYTES + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const packed = bytes.subarray(start, start + packedLength);
  if (method === STORED) {
    if (packed.length > bytesMax) throw tooLarge();
    return packed;
  }
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytesMax) });
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge();
    throw error;
  }
}

const VERSION = 20;
const UTF8_NAMES = 0x0800;
/** 1 January 1980, as an archive counts: the same list makes the same bytes. */
const DATE = 0x0021;

/** An archive of these files. */
export function packZip(entries: readonly ZipEntry[]): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const packed = deflateRawSync(bytes);
    const nameBytes = Buffer.from(name, 'utf8');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(UTF8_NAMES, 2);
    common.writeUInt16LE(DEFLATED, 4);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([uint32(LOCAL_SIGNATURE), common, nameBytes, packed]);
    directory.push(Buffer.concat([uint32(ENTRY_SIGNATURE), uint16(VERSION), common, place, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END_SIGNATURE, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, list, end]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function tooLarge(): SluiceError {
  return notReadable(`it is larger than ${UNPACKED_BYTES_MAX / 1024 / 1024} MiB unpacked`);
}

function notReadable(why: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-6001', { detail: `the workbook cannot be read: ${why}`, cause });
}
