/** Builders of protocol bytes for specs. */
export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};
export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
export const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes;
};
export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);
export const letter = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A message of the server: its kind, its length, its body. */
export const serverMessage = (kind: string, ...body: Uint8Array[]): Buffer => {
  const content = Buffer.concat(body);
  return Buffer.concat([letter(kind), int32(content.length + 4), content]);
};

export const xlogFrame = (lsn: bigint, ...message: Uint8Array[]): Buffer =>
  serverMessage('d', letter('w'), int64(lsn), int64(lsn), int64(0n), ...message);

export const keepaliveFrame = (walEnd: bigint, isReplyRequested = false): Buffer =>
  serverMessage('d', letter('k'), int64(walEnd), int64(0n), Buffer.from([isReplyRequested ? 1 : 0]));

export const begin = (commitLsn: bigint, xid = 1): Buffer =>
  Buffer.concat([letter('B'), int64(commitLsn), int64(0n), int32(xid)]);

export const commit = (commitLsn: bigint, endLsn: bigint): Buffer =>
  Buffer.concat([letter('C'), Buffer.from([0]), int64(commitLsn), int64(endLsn), int64(0n)]);

/** null → null, undefined → unchanged TOAST. */
export const tuple = (...cells: (string | null | undefined)[]): Buffer =>
  Buffer.concat([
    int16(cells.length),
    ...cells.map((cell) => {
      if (cell === null) return letter('n');
      if (cell === undefined) return letter('u');
      const value = Buffer.from(cell);
      return Buffer.concat([letter('t'), int32(value.length), value]);
    }),
  ]);

export const insert = (relationOid: number, newTuple: Buffer): Buffer =>
  Buffer.concat([letter('I'), int32(relationOid), letter('N'), newTuple]);

export const relation = (oid: number, name: string, columns: readonly string[]): Buffer =>
  Buffer.concat([
    letter('R'),
    int32(oid),
    cstring('public'),
    cstring(name),
    letter('d'),
    int16(columns.length),
    ...columns.map((column, index) =>
      Buffer.concat([Buffer.from([index === 0 ? 1 : 0]), cstring(column), int32(23), int32(-1)]),
    ),
  ]);
