import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from './embedded-error.js';
import { type Report } from './postgres-binaries.js';
import { type CommandResult, runCommand } from './run-command.js';

/** Debian installs servers where the PATH of an ordinary user does not look. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The path of nats-server, installed by the system's package manager when it is missing. */
export async function ensureNats(report: Report = () => undefined): Promise<string> {
  const found = findNats();
  if (found) return found;
  const output = await installNats(report);
  const installed = findNats();
  if (installed) return installed;
  throw new EmbeddedError('install-failed', {
    detail: `nats-server is not installed and could not be installed${output ? `: ${output}` : ''}`,
    remedy:
      'Install nats-server 2.9 or newer and put it on PATH (Debian, Ubuntu: sudo apt-get install nats-server; ' +
      'macOS: brew install nats-server; others: https://github.com/nats-io/nats-server/releases).',
  });
}

function findNats(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => path.join(folder, 'nats-server')).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns what the package manager said when it failed. */
async function installNats(report: Report): Promise<string> {
  if (process.platform === 'darwin') {
    report('installing nats-server with brew');
    return lastLines(await runCommand('brew', ['install', '--quiet', 'nats-server']));
  }
  if (process.getuid?.() !== 0) return 'it needs root, and this is an ordinary user';
  report('installing nats-server with apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (): Promise<CommandResult> =>
    runCommand('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'nats-server'], { env });
  const first = await install();
  if (first.status === 0) return '';
  // A fresh machine has no package lists yet.
  await runCommand('apt-get', ['update', '-qq'], { env });
  return lastLines(await install());
}

function lastLines({ status, output }: CommandResult): string {
  return status === 0 ? '' : output.trim().split('\n').slice(-4).join('\n    ');
}
