import { backoffDelayMs, delay } from '@sluice/kernel';
import { MetadataDatabase } from '@sluice/metadata';
import { type RuntimeContext } from '@sluice/service-runtime';
import { type TaskManagementConfig } from './task-management.config.js';

const BACKOFF = { baseMs: 250, capMs: 5_000 };

/** Opens the metadata database, waiting for it as long as it takes, and makes sure that somebody can log in. */
export async function openMetadata(context: RuntimeContext<TaskManagementConfig>): Promise<MetadataDatabase> {
  const { config, log } = context;
  let metadata: MetadataDatabase | null = null;
  context.addHealthCheck('metadata', async () => {
    if (!metadata) return { ready: false, detail: 'not opened yet' };
    await metadata.ping();
    return { ready: true };
  });
  for (let attempt = 0; metadata === null; attempt += 1) {
    try {
      metadata = await MetadataDatabase.open({ url: config.SLUICE_METADATA_URL, masterKey: config.SLUICE_MASTER_KEY });
    } catch (error) {
      log[attempt < 5 ? 'info' : 'warn']({ err: error }, 'metadata database not usable yet');
      await delay(backoffDelayMs(attempt, BACKOFF), context.signal);
    }
  }
  const opened = metadata;
  context.onShutdown(() => opened[Symbol.asyncDispose]());
  const made = await opened.apiKeys.ensureAdmin(config.SLUICE_ADMIN_KEY ?? null);
  // The one secret that is ever written to the log: without it nobody could log in at the first start.
  if (made) log.info({ api_key: made.reveal() }, 'admin API key, shown only this once; keep it');
  return opened;
}
