import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { EmbeddedError } from './embedded-error.js';

/** The operating system account that PostgreSQL runs as. It refuses to run as root. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

const PREFERRED_ACCOUNTS = ['postgres', 'sluice-postgres'];

let account: ServerAccount | null | undefined;

/** `null` when the own account will do, that is, when it is not root. */
export function serverAccount(): ServerAccount | null {
  account ??= process.getuid?.() === 0 ? accountForRoot() : null;
  return account;
}

function accountForRoot(): ServerAccount {
  for (const name of PREFERRED_ACCOUNTS) {
    const found = lookUp(name);
    if (found) return found;
  }
  const created = 'sluice-postgres';
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', created]);
  const fallback = lookUp(created) ?? lookUp('nobody');
  if (fallback) return fallback;
  throw new EmbeddedError('start-failed', {
    detail: 'PostgreSQL refuses to run as root, and no other account was found or could be created',
    remedy: 'Create a system account named "postgres", or start this command as an ordinary user.',
  });
}

function lookUp(name: string): ServerAccount | null {
  const id = (flag: string): number => {
    const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return status === 0 ? Number(stdout.trim()) : Number.NaN;
  };
  const found = { uid: id('-u'), gid: id('-g') };
  return Number.isInteger(found.uid) && Number.isInteger(found.gid) && found.uid !== 0 ? found : null;
}

/** Options for `spawn` that run a program as that account. */
export function asServerAccount(): { uid?: number; gid?: number } {
  return serverAccount() ?? {};
}

export function giveToServerAccount(path: string): void {
  const owner = serverAccount();
  if (owner) chownSync(path, owner.uid, owner.gid);
}

/** True if the server's account can reach the folder through all its parents. */
export function isReachable(folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], { ...asServerAccount(), cwd: '/' }).status === 0;
}
