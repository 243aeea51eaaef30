import { type StartPostgresOptions } from '@sluice/embedded';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { BENCH_MAJOR } from './bench-servers.js';

/** Server programs of Debian's packages, which unlike the embedded ones can load pglogical. */
export type DebianServer = NonNullable<StartPostgresOptions['binaries']>;

const FOLDER = `/usr/lib/postgresql/${BENCH_MAJOR}`;

/** The package that brings it. */
export const PGLOGICAL_PACKAGE = `postgresql-${BENCH_MAJOR}-pglogical`;

/** `null` when the server or its extension pglogical is not installed. */
export function findDebianServer(): DebianServer | null {
  const postgres = path.join(FOLDER, 'bin/postgres');
  if (!existsSync(postgres) || !existsSync(path.join(FOLDER, 'lib/pglogical.so'))) return null;
  const { stdout } = spawnSync(postgres, ['--version'], { encoding: 'utf8' });
  const version = /\d+\.\d+/.exec(stdout ?? '')?.[0] ?? String(BENCH_MAJOR);
  return { major: BENCH_MAJOR, version, postgres, initdb: path.join(FOLDER, 'bin/initdb') };
}
