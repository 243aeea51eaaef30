import { SluiceError, type StageRunOf } from '@sluice/contracts';
import { delay } from '@sluice/kernel';
import { type Client, isConnectionLoss } from '@sluice/postgres-client';
import {
  connectSource,
  connectTarget,
  dropSlot,
  type HeldSnapshot,
  holdPlainSnapshot,
  holdSlotSnapshot,
  isSnapshotAlive,
  type LedgerWatch,
  type LoadRecord,
  readLoad,
  recordSnapshot,
  slotExists,
  tryLockHolder,
  watchLedger,
} from '@sluice/postgres-snapshot';
import { killPoint, type WorkOutcome } from '@sluice/service-runtime';
import { type TaskDatabases } from './task-databases.js';

export interface HolderContext {
  readonly run: StageRunOf<'snapshot'>;
  readonly databases: TaskDatabases;
  readonly signal: AbortSignal;
  readonly isStopOrdered: () => boolean;
  readonly onHealthy: () => void;
  readonly lockTimeoutMs: number;
}

/** The holder's session with the ledger; ours alone while it has the lock. */
interface Ledger extends AsyncDisposable {
  readonly target: Client;
  readonly watch: LedgerWatch;
}

const LOOK_INTERVAL_MS = 1_000;
/** The ledger changes with every chunk; few of its changes concern the holder. */
const REST_MS = 200;
const LOCK_INTERVAL_MS = 250;
const RECONNECT_MS = 500;

/**
 * Makes a snapshot for the load and holds it until the rows are copied. When another one is alive there is nothing to
 * do; one that is lost is followed by the next generation.
 */
export async function holdSnapshot(context: HolderContext): Promise<WorkOutcome> {
  await using ledger = await openHolderLedger(context);
  await using source = await connectSource(context.databases.source, { applicationName: 'snapshot holder' });
  const record = await takeTurn(context, ledger, source);
  if (record === null) return { kind: 'done' };
  const generation = record.generation + 1;
  await using held = await makeSnapshot(context, source, generation);
  killPoint('full-load-after-slot');
  const isKnown = await recordSnapshot(ledger.target, context.run.task.taskId, { ...held, generation });
  if (!isKnown) {
    // The task was cleaned up meanwhile; nobody else would drop the slot.
    if (generation === 1) await dropSlot(source, context.run.task.slotName);
    return { kind: 'done' };
  }
  context.onHealthy();
  await source.end();
  await keep(context, { held, generation, ledger });
  return { kind: 'done' };
}

async function openHolderLedger({ databases, run }: HolderContext): Promise<Ledger> {
  const target = await connectTarget(databases.target, { applicationName: 'snapshot holder' });
  const watch = await watchLedger(target, run.task.taskId);
  return { target, watch, [Symbol.asyncDispose]: () => target.end().catch(() => undefined) };
}

/** Waits for the holders' lock. `null` when no snapshot is needed from us. */
async function takeTurn(context: HolderContext, { target, watch }: Ledger, source: Client): Promise<LoadRecord | null> {
  const { taskId } = context.run.task;
  for (;;) {
    context.signal.throwIfAborted();
    const hasLock = await tryLockHolder(target, taskId);
    const record = await readLoad(target, taskId);
    if (record === null || record.isCopied || context.isStopOrdered()) return null;
    if (record.snapshot && (await isSnapshotAlive(source, record.snapshot))) return null;
    if (hasLock) return record;
    await watch.next(LOCK_INTERVAL_MS);
  }
}

async function makeSnapshot(context: HolderContext, source: Client, generation: number): Promise<HeldSnapshot> {
  const { databases, run, lockTimeoutMs } = context;
  const { slotName, syncType } = run.task;
  if (syncType === 'full') return holdPlainSnapshot(databases.source, source);
  if (generation === 1)
    return holdSlotSnapshot(databases.source, source, { slotName, isTemporary: false, lockTimeoutMs });
  if (!(await slotExists(source, slotName))) throw new SluiceError('SLUICE-4001', { detail: slotName });
  return holdSlotSnapshot(databases.source, source, {
    slotName: `${slotName}_g${generation}`,
    isTemporary: true,
    lockTimeoutMs,
  });
}

interface Holding {
  readonly held: HeldSnapshot;
  readonly generation: number;
  readonly ledger: Ledger;
}

/** Holds on; a target that restarts is no reason to let the snapshot go. */
async function keep(context: HolderContext, { held, generation, ledger }: Holding): Promise<void> {
  let current = ledger;
  for (;;) {
    try {
      await untilOver(context, { held, generation, ledger: current });
      return;
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
    } finally {
      if (current !== ledger) await current[Symbol.asyncDispose]();
    }
    await delay(RECONNECT_MS, context.signal);
    current = await openHolderLedger(context).catch(() => current);
    await tryLockHolder(current.target, context.run.task.taskId).catch(() => false);
  }
}

async function untilOver(context: HolderContext, { held, generation, ledger }: Holding): Promise<void> {
  const lost = held.lost.then(() => true);
  for (;;) {
    const changed = ledger.watch.next(LOOK_INTERVAL_MS).then(() => delay(REST_MS));
    if (await Promise.race([lost, changed.then(() => false)])) throw connectionLost();
    context.signal.throwIfAborted();
    if (context.isStopOrdered()) return;
    const record = await readLoad(ledger.target, context.run.task.taskId);
    if (record === null || record.isCopied || record.snapshot === null || record.generation !== generation) return;
  }
}

/** Heals by the next attempt, which makes the next generation. */
function connectionLost(): SluiceError {
  return new SluiceError('SLUICE-1012', { detail: 'the session on the source that held the snapshot was ended' });
}
