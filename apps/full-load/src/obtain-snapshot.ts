import { present } from '@sluice/kernel';
import { isSnapshotAlive, readLoad } from '@sluice/postgres-snapshot';
import { randomUUID } from 'node:crypto';
import { checkOrders, type Load } from './load-context.js';
import { throwRecorded } from './load-errors.js';
import { taskOfItem } from './work-items.js';

const LOOK_INTERVAL_MS = 500;
/** An order can be lost with the bus; another holder for the same snapshot does no harm, as only one can have the lock. */
const ORDER_AGAIN_MS = 20_000;

/** Resolves when the ledger names a snapshot that is alive; orders one where none is. */
export async function obtainSnapshot(load: Load): Promise<void> {
  let orderedAtMs: number | null = null;
  let orders = 0;
  for (;;) {
    checkOrders(load);
    const record = present(await readLoad(load.target, load.taskId), 'the load in the ledger');
    if (record.error?.epoch === load.run.epoch) throwRecorded(record.error);
    if (record.snapshot && (await isSnapshotAlive(load.source, record.snapshot))) return;
    if (orderedAtMs === null || Date.now() - orderedAtMs > ORDER_AGAIN_MS) {
      orderedAtMs = Date.now();
      await orderSnapshot(load, { generation: record.generation + 1, orders });
      orders += 1;
    }
    await load.ledger.next(LOOK_INTERVAL_MS);
  }
}

function orderSnapshot({ run, publishItem }: Load, order: { generation: number; orders: number }): Promise<void> {
  return publishItem(
    { version: 1, runId: randomUUID(), epoch: run.epoch, task: taskOfItem(run.task), stage: 'snapshot' },
    `snapshot:${run.task.taskId}:${run.epoch}:${order.generation}:${run.runId}:${order.orders}`,
  );
}
