import { type TaskSpec } from '@sluice/contracts';
import { type Lsn } from '@sluice/model';
import { readVersionNum } from '@sluice/postgres-catalog';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { currentWalLsn, pushWalForward, takeOverSlot } from '@sluice/postgres-replication';
import { type Sight, type SourceWatch } from './source-watch.js';

export interface PreparedSource {
  readonly slotConfirmedLsn: Lsn;
  readonly walEndLsn: Lsn;
  readonly versionNum: number;
  readonly sight: Sight;
}

/** A walsender that is asked to end does so between two sends; one that waits for a dead client needs its time-out. */
const TAKE_OVER_DEADLINE_MS = 10_000;
const APPLICATION_NAME = 'capture setup';

/** The first look; ends a stale reader of the slot. @throws SluiceError 1xxx, 4001, 4002, 4003, 4005, 4006. */
export async function prepareSource(
  endpoint: Endpoint,
  task: TaskSpec,
  { watch, signal }: { readonly watch: SourceWatch; readonly signal: AbortSignal },
): Promise<PreparedSource> {
  await using client = await connect(endpoint, { applicationName: APPLICATION_NAME });
  const sight = await watch.look(client);
  const slot = await takeOverSlot(client, task.slotName, { signal, deadlineMs: TAKE_OVER_DEADLINE_MS });
  const [walEndLsn, versionNum] = [await currentWalLsn(client), await readVersionNum(client)];
  return { slotConfirmedLsn: slot.confirmedFlushLsn, walEndLsn, versionNum, sight };
}

/** Where WAL ends now: every transaction that has committed lies below. The source will soon be seen beyond it. */
export async function readWalEnd(endpoint: Endpoint): Promise<Lsn> {
  await using client = await connect(endpoint, { applicationName: APPLICATION_NAME });
  const walEndLsn = await currentWalLsn(client);
  await pushWalForward(client);
  return walEndLsn;
}
