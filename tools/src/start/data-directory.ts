import { SluiceError } from '@sluice/contracts';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { formatBytes } from './format.js';

/** Room for the sample on both sides, the bus and the servers' WAL. */
const FREE_BYTES_MIN = 1_000_000_000;

/** What must be the same when a kept directory is used again. */
const Installation = z.object({
  /** Seals the credentials in the metadata database. */
  masterKey: z.string(),
  busKey: z.string(),
  adminKey: z.string(),
  /** Ports of the sample servers, which are part of the task's endpoints. */
  samplePorts: z.object({ source: z.number(), target: z.number() }).nullable(),
});
export type Installation = z.infer<typeof Installation>;

export interface DataDirectory extends AsyncDisposable {
  readonly path: string;
  readonly logDir: string;
  readonly isKept: boolean;
  readonly installation: Installation;
  /** A directory in it for one of the servers. */
  for(name: string): string;
  /** Removes it without waiting for anything, unless it is kept. */
  abandon(): void;
  rememberSamplePorts(ports: { source: number; target: number }): Promise<void>;
}

/** @param keepDir `null` for a temporary directory, which goes away at the end. @throws SluiceError 8001, 8002 */
export async function openDataDirectory(keepDir: string | null): Promise<DataDirectory> {
  const directory = keepDir === null ? await makeTemporary() : path.resolve(keepDir);
  const logDir = path.join(directory, 'logs');
  const installationFile = path.join(directory, 'installation.json');
  const save = (installation: Installation): Promise<void> =>
    // It holds keys.
    writeFile(installationFile, `${JSON.stringify(installation, null, 2)}\n`, { mode: 0o600 });
  try {
    await mkdir(logDir, { recursive: true });
    // The database servers run as another user when this process is root; they must be able to pass through.
    if (keepDir === null) await chmod(directory, 0o711);
    const { bavail, bsize } = await statfs(directory);
    refuseWhenFull(directory, bavail * bsize);
    const installation = existsSync(installationFile) ? readInstallation(installationFile) : newInstallation();
    await save(installation);
    return {
      path: directory,
      logDir,
      isKept: keepDir !== null,
      installation,
      for: (name) => path.join(directory, name),
      rememberSamplePorts: (samplePorts) => save({ ...installation, samplePorts }),
      abandon: () => {
        if (keepDir === null) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
      },
      [Symbol.asyncDispose]: async () => {
        if (keepDir === null) await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    if (keepDir === null) await rm(directory, { recursive: true, force: true });
    if (error instanceof SluiceError) throw error;
    throw unusable(directory, error);
  }
}

async function makeTemporary(): Promise<string> {
  try {
    return await mkdtemp(path.join(tmpdir(), 'sluice-'));
  } catch (error) {
    throw unusable(tmpdir(), error);
  }
}

function unusable(directory: string, error: unknown): SluiceError {
  const why = error instanceof Error ? error.message : String(error);
  return new SluiceError('SLUICE-8001', { detail: `${directory}: ${why}`, cause: error });
}

function refuseWhenFull(directory: string, freeBytes: number): void {
  if (freeBytes >= FREE_BYTES_MIN) return;
  throw new SluiceError('SLUICE-8002', {
    detail: `${directory} has ${formatBytes(freeBytes)} left, at least ${formatBytes(FREE_BYTES_MIN)} are needed`,
  });
}

function readInstallation(file: string): Installation {
  const parsed = Installation.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new SluiceError('SLUICE-8001', {
    detail: `${file} is not what this version writes`,
    remedy: 'Choose another directory, or remove this one if its data is of no use any more.',
  });
}

function newInstallation(): Installation {
  const key = (): string => randomBytes(32).toString('base64');
  return {
    masterKey: key(),
    busKey: key(),
    adminKey: randomBytes(24).toString('base64url'),
    samplePorts: null,
  };
}
