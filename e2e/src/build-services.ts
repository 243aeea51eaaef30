import { spawnSync } from 'node:child_process';
import path from 'node:path';

const WORKSPACE = path.resolve(import.meta.dirname, '../..');

/** The services run as they are shipped, compiled; what is up to date already is not compiled again. */
export function buildServices(): void {
  const { status, stderr } = spawnSync(process.execPath, ['tools/build/build.mjs'], {
    cwd: WORKSPACE,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the services could not be built\n${stderr}`);
}
