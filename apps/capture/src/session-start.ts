import { CHANGE_HEADERS } from '@sluice/contracts';
import { type Lsn, parseLsn } from '@sluice/model';

/** `tail`: go on where the change stream ends. `slot`: everything that the target has not confirmed, once more. */
export type StartFrom = 'tail' | 'slot';

export interface StartFacts {
  readonly from: StartFrom;
  /** Headers of the newest batch in the change stream, null when it is empty. */
  readonly tailHeaders: Readonly<Record<string, string>> | null;
  readonly slotConfirmedLsn: Lsn;
  readonly walEndLsn: Lsn;
}

/**
 * The LSN from which a new session is complete. The slot's position is always right (I1); the watermark of the newest
 * batch saves reading again what is on the bus already.
 */
export function chooseStartLsn({ from, tailHeaders, slotConfirmedLsn, walEndLsn }: StartFacts): Lsn {
  const watermark = tailHeaders?.[CHANGE_HEADERS.watermarkLsn];
  if (from === 'slot' || watermark === undefined) return slotConfirmedLsn;
  const watermarkLsn = parseLsn(watermark);
  // Below the slot: the batch is older than the slot. Above the end of WAL: it is of another history of the source.
  return watermarkLsn > slotConfirmedLsn && watermarkLsn <= walEndLsn ? watermarkLsn : slotConfirmedLsn;
}
