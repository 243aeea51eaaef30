import { type TaskSpec } from '@sluice/contracts';
import { type Lsn } from '@sluice/model';
import { connect, type Endpoint } from '@sluice/postgres-client';
import { currentWalLsn, pushWalForward, takeOverSlot } from '@sluice/postgres-replication';
import { type Coverage } from './coverage.js';

export interface SourceFacts {
  readonly slotConfirmedLsn: Lsn;
  readonly walEndLsn: Lsn;
}

/** A walsender that is asked to end does so between two sends; one that waits for a dead client needs its time-out. */
const TAKE_OVER_DEADLINE_MS = 10_000;
const APPLICATION_NAME = 'capture setup';

/** Looks at slot and publication and ends a stale reader. @throws SluiceError 1xxx, 4001, 4002, 4003, 4005, 4006. */
export async function prepareSource(
  endpoint: Endpoint,
  task: TaskSpec,
  { coverage, signal }: { readonly coverage: Coverage; readonly signal: AbortSignal },
): Promise<SourceFacts> {
  await using client = await connect(endpoint, { applicationName: APPLICATION_NAME });
  await coverage.checkOn(client);
  const slot = await takeOverSlot(client, task.slotName, { signal, deadlineMs: TAKE_OVER_DEADLINE_MS });
  return { slotConfirmedLsn: slot.confirmedFlushLsn, walEndLsn: await currentWalLsn(client) };
}

/** Where WAL ends now: every transaction that has committed lies below. The source will soon be seen beyond it. */
export async function readWalEnd(endpoint: Endpoint): Promise<Lsn> {
  await using client = await connect(endpoint, { applicationName: APPLICATION_NAME });
  const walEndLsn = await currentWalLsn(client);
  await pushWalForward(client);
  return walEndLsn;
}
