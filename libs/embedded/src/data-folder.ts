import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedError, isDiskFull } from './embedded-error.js';
import { type PostgresBinaries } from './postgres-binaries.js';
import { runCommand } from './run-command.js';
import { asServerAccount, giveToServerAccount, isReachable } from './server-account.js';

export const SUPERUSER = 'postgres';
/** Holds what we set; included by postgresql.conf, so that ALTER SYSTEM still wins. */
const SETTINGS_FILE = 'sluice.conf';
/** A kept folder is opened again later without anybody having to remember its password. */
const PASSWORD_FILE = 'sluice.password';

const initialPasswordFile = (folder: string): string => `${folder}.initial-password`;

/** What there can be of a data folder while it is being prepared. */
export function temporaryPaths(folder: string): string[] {
  return [folder, initialPasswordFile(folder)];
}

/** Runs initdb if the folder is empty or missing. @returns the superuser's password. */
export async function prepareDataFolder(
  folder: string,
  binaries: PostgresBinaries,
  wantedPassword?: string,
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  giveToServerAccount(folder);
  if (!isReachable(folder)) {
    throw new EmbeddedError('folder-not-accessible', {
      detail: `PostgreSQL does not run as root, and the account it runs as cannot enter ${folder}`,
      remedy: 'Choose a folder whose parents everybody may enter, for example below /var/tmp.',
    });
  }
  const passwordFile = path.join(folder, PASSWORD_FILE);
  const versionFile = path.join(folder, 'PG_VERSION');
  if (existsSync(versionFile)) {
    await requireMajor(folder, versionFile, binaries);
    return existsSync(passwordFile) ? await readFile(passwordFile, 'utf8') : (wantedPassword ?? '');
  }
  const password = wantedPassword ?? randomBytes(12).toString('hex');
  await initialize(folder, binaries, password);
  await appendFile(path.join(folder, 'postgresql.conf'), `\ninclude_if_exists = '${SETTINGS_FILE}'\n`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  return password;
}

async function requireMajor(folder: string, versionFile: string, binaries: PostgresBinaries): Promise<void> {
  const found = (await readFile(versionFile, 'utf8')).trim();
  if (found === String(binaries.major)) return;
  throw new EmbeddedError('wrong-data-version', {
    detail: `${folder} holds data of PostgreSQL ${found}, and PostgreSQL ${binaries.major} was to be started`,
    remedy: 'Choose another folder, or remove this one if its data is not needed.',
  });
}

async function initialize(folder: string, binaries: PostgresBinaries, password: string): Promise<void> {
  // Beside the folder: initdb insists on an empty one.
  const passwordFile = initialPasswordFile(folder);
  await writeFile(passwordFile, password, { mode: 0o600 });
  giveToServerAccount(passwordFile);
  try {
    const { status, output } = await runCommand(
      binaries.initdb,
      [
        `--pgdata=${folder}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        `--locale=${chooseLocale()}`,
        '--lc-messages=C',
        '--no-sync',
      ],
      { ...asServerAccount(), cwd: '/', env: serverEnvironment() },
    );
    if (status === 0) return;
    const isFull = isDiskFull(output);
    throw new EmbeddedError(isFull ? 'disk-full' : 'start-failed', {
      detail: `initdb of PostgreSQL ${binaries.version} failed in ${folder}: ${output.trim().split('\n').slice(-6).join('\n    ')}`,
      remedy: isFull ? 'Free space on that disk.' : 'Choose an empty folder that can be written.',
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** PostgreSQL reads PG* variables and the locale from its environment: it gets a fixed one. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: chooseLocale(), TZ: 'UTC' };
}

let locale: string | undefined;

function chooseLocale(): string {
  if (locale !== undefined) return locale;
  const { stdout } = spawnSync('locale', ['-a'], { encoding: 'utf8' });
  const installed = (stdout ?? '').split('\n').map((name) => name.trim());
  const find = (pattern: RegExp): string | undefined => installed.find((name) => pattern.test(name));
  locale = find(/^en_US\.utf-?8$/i) ?? find(/^C\.utf-?8$/i) ?? 'C';
  return locale;
}

export async function writeSettings(folder: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  await writeFile(path.join(folder, SETTINGS_FILE), `${lines.join('\n')}\n`, { mode: 0o644 });
  giveToServerAccount(path.join(folder, SETTINGS_FILE));
}
