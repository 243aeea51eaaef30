import { assert, type Brand } from '@sluice/kernel';

/** A WAL position. Compare with `<`; its text form does not sort ('0/9' > '0/10'). */
export type Lsn = Brand<bigint, 'Lsn'>;
/** A WAL position as PostgreSQL prints it, e.g. `16/B374D848`. */
export type LsnText = Brand<string, 'LsnText'>;

const LSN_TEXT = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

export const ZERO_LSN = 0n as Lsn;

export function parseLsn(text: string): Lsn {
  const match = LSN_TEXT.exec(text);
  assert(match, `not an LSN: ${text.slice(0, 40)}`);
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}

export function formatLsn(lsn: Lsn): LsnText {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}` as LsnText;
}

/** An LSN from the protocol's unsigned 64-bit number. */
export function lsnFromBigInt(value: bigint): Lsn {
  assert(value >= 0n && value <= 0xffff_ffff_ffff_ffffn, 'LSN out of range');
  return value as Lsn;
}

export function maxLsn(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b;
}
