import { quoteIdentifier, quoteLiteral } from '@sluice/postgres-client';

/**
 * The key that events are signed with: 256 bits that the server draws itself, in four sequences of the helper schema. Not in a table:
 * a transaction whose snapshot is older than the row would not find it and have its DDL lost, and a publication of all tables would
 * send it to whoever reads that. Sequences are read as they are now, by their owner and whom it allows to, and are in no publication.
 */
export const SECRET_PARTS = ['secret_1', 'secret_2', 'secret_3', 'secret_4'] as const;

/** Where an unsigned function was replaced: what committed below it was never signed. 0 where there was none. */
export const SIGNED_SINCE = 'signed_since';

export const SECRET_SEQUENCES: readonly string[] = [...SECRET_PARTS, SIGNED_SINCE];

/** The blocks of HMAC (RFC 2104) for a key of half the block of SHA-256: eight bytes of its pads as a number, and what is behind the key. */
const PADS = {
  inner: { word: 0x3636363636363636n, byte: '36' },
  outer: { word: 0x5c5c5c5c5c5c5c5cn, byte: '5c' },
};
const PAD_BEHIND_KEY_BYTES = 32;

/** SQL that makes the secret where it is missing. It is in no statement, so in no log. */
export function makeSecret(helperName: string): string {
  const name = (sequence: string): string => `${quoteIdentifier(helperName)}.${sequence}`;
  const drawn = `('x' || pg_catalog.substr(pg_catalog.encode(pg_catalog.sha256(
      pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())), 'hex'), 1, 16))::bit(64)::int8`;
  const parts = SECRET_PARTS.map(
    (part) => `
    CREATE SEQUENCE ${name(part)} MINVALUE ${-(2n ** 63n)};
    PERFORM pg_catalog.setval(${quoteLiteral(name(part))}, ${drawn});`,
  );
  return `DO $$ BEGIN
  IF pg_catalog.to_regclass(${quoteLiteral(name(SIGNED_SINCE))}) IS NULL THEN${parts.join('')}
    CREATE SEQUENCE ${name(SIGNED_SINCE)} MINVALUE 0;
    PERFORM pg_catalog.setval(${quoteLiteral(name(SIGNED_SINCE))}, CASE
      WHEN pg_catalog.to_regproc(${quoteLiteral(name('capture'))}) IS NULL THEN 0
      ELSE (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::int8 END);
  END IF;
END $$`;
}

/** A SQL query for the HMAC-SHA256 of bytes. The search path must be that of the function. */
export function signatureOf(helperName: string, bytes: string): string {
  const sequences = SECRET_PARTS.map((part, index) => `${quoteIdentifier(helperName)}.${part} k${index + 1}`);
  const block = ({ word, byte }: { word: bigint; byte: string }): string =>
    [
      ...SECRET_PARTS.map((_, index) => `int8send(k${index + 1}.last_value # ${word})`),
      `decode(repeat('${byte}', ${PAD_BEHIND_KEY_BYTES}), 'hex')`,
    ].join(' || ');
  return `SELECT sha256(${block(PADS.outer)} || sha256(${block(PADS.inner)} || ${bytes})) FROM ${sequences.join(', ')}`;
}
