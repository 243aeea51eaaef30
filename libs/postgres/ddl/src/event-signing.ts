import { SluiceError } from '@sluice/contracts';
import { Secret } from '@sluice/kernel';
import { type Lsn, lsnFromBigInt, parseLsn } from '@sluice/model';
import { type Client, hasSqlState, quoteIdentifier, SQLSTATE } from '@sluice/postgres-client';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { SECRET_PARTS, SECRET_SEQUENCES, SIGNED_SINCE } from './capture/event-secret.js';

/** What tells events of the capture from what anybody else writes under its prefix. */
export interface EventSigning {
  /** In hexadecimal digits. */
  readonly secret: Secret;
  /** Events of transactions that commit below it have no signature: the function of an earlier version wrote them. */
  readonly signedSinceLsn: Lsn;
}

export interface SigningRead {
  /** `null` where nothing signs, so that nothing is to be believed: nothing is installed, or events come as rows. */
  readonly signing: EventSigning | null;
  /** A secret that is made later signs nothing that commits below it. */
  readonly throughLsn: Lsn;
}

export const SIGNATURE_BYTES = 32;

/** Sequences of another owner than the function's that the event triggers run are none of ours. */
const OWN_SEQUENCES = `
  SELECT count(DISTINCT c.relname)::int AS count, (CASE WHEN pg_catalog.pg_is_in_recovery()
    THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END)::text AS "throughLsn"
  FROM pg_catalog.pg_event_trigger e
  JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relowner = p.proowner AND c.relkind = 'S'
  WHERE n.nspname = $1 AND c.relname = ANY ($2)`;

/** With the account of the task, from the source. @throws SluiceError 4008 when the account may not read it */
export async function readEventSigning(client: Client, helperName: string): Promise<SigningRead> {
  const { rows: own } = await client.query<{ count: number; throughLsn: string }>(OWN_SEQUENCES, [
    helperName,
    SECRET_SEQUENCES,
  ]);
  const throughLsn = parseLsn(own[0]?.throughLsn ?? '0/0');
  const isThere = own[0]?.count === SECRET_SEQUENCES.length;
  return { signing: isThere ? await readSecret(client, helperName) : null, throughLsn };
}

async function readSecret(client: Client, helperName: string): Promise<EventSigning | null> {
  const helper = quoteIdentifier(helperName);
  const hex = SECRET_PARTS.map((part) => `pg_catalog.encode(pg_catalog.int8send(${part}.last_value), 'hex')`);
  try {
    const { rows } = await client.query<{ secret: string; since: string }>(
      `SELECT ${hex.join(' || ')} AS secret, ${SIGNED_SINCE}.last_value::text AS since
       FROM ${SECRET_SEQUENCES.map((name) => `${helper}.${name}`).join(', ')}`,
    );
    const [row] = rows;
    return row ? { secret: new Secret(row.secret), signedSinceLsn: lsnFromBigInt(BigInt(row.since)) } : null;
  } catch (error) {
    if (!hasSqlState(error, SQLSTATE.insufficientPrivilege)) throw error;
    throw new SluiceError('SLUICE-4008', {
      detail: `this account may not read what events of schema ${helperName} are signed with`,
      remedy: `Let the owner run: GRANT USAGE ON SCHEMA ${helper} TO …; GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${helper} TO …;`,
      cause: error,
    });
  }
}

/** Whether the capture wrote this in the transaction. The transaction is signed, too: a message that is repeated in another one is none. */
export function isSigned(content: Uint8Array, { secret }: EventSigning, xid: number): boolean {
  if (content.length < SIGNATURE_BYTES) return false;
  const hmac = createHmac('sha256', Buffer.from(secret.reveal(), 'hex'));
  const expected = hmac.update(`${xid}\n`).update(content.subarray(SIGNATURE_BYTES)).digest();
  return timingSafeEqual(expected, content.subarray(0, SIGNATURE_BYTES));
}
