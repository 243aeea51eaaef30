import { type Conflict, conflictRecords, ConflictsRecorded, type TaskId } from '@sluice/contracts';
import { type Bus } from './bus.js';
import { request } from './request-reply.js';

/** They are a few hundred rows for the metadata database. */
const TIMEOUT_MS = 5_000;

/** Has task management keep conflicts; to have the same ones kept again changes nothing. @throws SluiceError 70xx */
export async function recordConflicts(bus: Bus, taskId: TaskId, conflicts: Conflict[]): Promise<void> {
  await request(bus, conflictRecords, {
    params: {},
    payload: { version: 1, taskId, conflicts },
    reply: ConflictsRecorded,
    timeoutMs: TIMEOUT_MS,
  });
}
