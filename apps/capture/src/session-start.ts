import { CHANGE_HEADERS } from '@sluice/contracts';
import { type Lsn, parseLsn } from '@sluice/model';

/**
 * `tail`: go on where the change stream ends. `slot`: everything that the target has not confirmed, once more.
 * Else everything behind the checkpoint that apply named.
 */
export type StartFrom = 'tail' | 'slot' | { readonly checkpointLsn: Lsn };

export interface StartFacts {
  readonly from: StartFrom;
  /** Headers of the newest batch in the change stream, null when it is empty. */
  readonly tailHeaders: Readonly<Record<string, string>> | null;
  readonly slotConfirmedLsn: Lsn;
  readonly walEndLsn: Lsn;
}

/**
 * The LSN from which a new session is complete. The slot's position is always right (I1); the watermark of the newest
 * batch saves reading again what is on the bus already, and so does the checkpoint what the target has. That one also makes
 * sure that of a transaction that is streamed while it runs nothing comes that is applied already: who reads its first batch
 * could not tell. Should the target lose its newest commits, apply finds a gap and names the checkpoint it has then.
 */
export function chooseStartLsn({ from, tailHeaders, slotConfirmedLsn, walEndLsn }: StartFacts): Lsn {
  const knownLsn = knownPosition(from, tailHeaders);
  // Below the slot: it is older than the slot. Above the end of WAL: it is of another history of the source.
  return knownLsn !== null && knownLsn > slotConfirmedLsn && knownLsn <= walEndLsn ? knownLsn : slotConfirmedLsn;
}

function knownPosition(from: StartFrom, tailHeaders: StartFacts['tailHeaders']): Lsn | null {
  if (from === 'slot') return null;
  if (from !== 'tail') return from.checkpointLsn;
  const watermark = tailHeaders?.[CHANGE_HEADERS.watermarkLsn];
  return watermark === undefined ? null : parseLsn(watermark);
}
