import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const running = new Set<ChildProcess>();

/** True when the command is on PATH. */
export function isInstalled(command: string): boolean {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @throws with what a report names as missing. */
export function requireInstalled(...commands: readonly string[]): void {
  const missing = commands.filter((command) => !isInstalled(command));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')} not installed`);
}

/** Runs a pipeline in which every part must succeed. @returns what it wrote to standard output. */
export function runShell(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that all parts of the pipeline can be ended at once.
    const child = spawn('bash', ['-c', `set -o pipefail; ${script}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      detached: true,
    });
    running.add(child);
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`exit code ${code}: ${errors.trim().split('\n').slice(-2).join(' ')}`));
    });
  });
}

/** Ends every pipeline that still runs. */
export function endShells(): void {
  for (const { pid } of running) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended at this moment.
    }
  }
}
