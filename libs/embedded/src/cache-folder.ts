import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { isReachable } from './server-account.js';

const WORKSPACE_ROOT = path.resolve(import.meta.dirname, '../../..');
const WORKSPACE_CACHE = path.join(WORKSPACE_ROOT, 'node_modules', '.cache', 'sluice');
/** Used by root when the checkout lies in a folder that only root may enter, such as /root. */
const SYSTEM_CACHE = '/var/cache/sluice';

/** Where downloaded programs are kept: below node_modules, or else where the server's account can reach them. */
export function cacheFolder(): string {
  mkdirSync(WORKSPACE_CACHE, { recursive: true });
  if (isReachable(WORKSPACE_CACHE)) return WORKSPACE_CACHE;
  mkdirSync(SYSTEM_CACHE, { recursive: true, mode: 0o755 });
  return SYSTEM_CACHE;
}
