import { delay } from '@sluice/kernel';
import { type ApiClient } from './api-client.js';
import { type Display } from './display.js';
import { helperObjects } from './leftovers.js';

const POLL_MS = 100;
/** Nothing of these is on either server. */
const OVER = new Set(['ended', 'completed', 'configuring']);
/** Leaves the services a moment for their own clean exit. */
const RESERVED_MS = 3_000;

/**
 * Ends a task on a person's own databases, so that its slot does not keep WAL on the source for ever. When there is no
 * time for that, says what has to be dropped.
 */
export async function releaseTask(
  taskId: string,
  { api, display, remainingMs }: { api: ApiClient; display: Display; remainingMs: number },
): Promise<void> {
  display.clear();
  display.line('Ending the task, so that no replication slot is left on the source');
  const signal = AbortSignal.timeout(Math.max(0, remainingMs - RESERVED_MS));
  try {
    await endTask(taskId, api.until(signal), signal);
    display.line('✓ the task has ended');
  } catch {
    display.line('! the task could not be ended in time; drop what may be left of it:');
    helperObjects(taskId).forEach(({ side, dropSql }) => display.line(`    ${side}: ${dropSql}`));
  }
}

async function endTask(taskId: string, api: ApiClient, signal: AbortSignal): Promise<void> {
  for (let isOrdered = false; ; await delay(POLL_MS, signal)) {
    const { state, availableActions } = await api.getTask(taskId);
    if (OVER.has(state)) return;
    if (!isOrdered && availableActions.includes('end')) {
      await api.act(taskId, 'end');
      isOrdered = true;
    } else if (state === 'end_failed') {
      throw new Error('the task could not be ended');
    }
  }
}
