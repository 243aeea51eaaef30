import { type Endpoint } from '@sluice/postgres-client';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/** The newest server that pg_dump reads on every machine of ours: Debian's is of major 15. */
export const DUMPED_MAJOR = 15;

/** The pg_dump of this machine; `null` when there is none. */
export function findPgDump(): string | null {
  const folders = [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    ...listed('/usr/lib/postgresql').map((major) => `/usr/lib/postgresql/${major}/bin`),
  ];
  return (
    folders
      .map((folder) => path.join(folder, 'pg_dump'))
      .find((file) => listed(path.dirname(file)).includes('pg_dump')) ?? null
  );
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The lines of `pg_dump --schema-only`, without publications and subscriptions. */
export async function dumpSchema(
  pgDump: string,
  endpoint: Endpoint,
  options: readonly string[] = [],
): Promise<string[]> {
  const { host, port, user, database, password } = endpoint;
  const connection = ['-h', host, '-p', String(port), '-U', user, database];
  const { stdout } = await promisify(execFile)(
    pgDump,
    ['--schema-only', '--no-publications', '--no-subscriptions', ...options, ...connection],
    { env: { ...process.env, PGPASSWORD: password.reveal() }, maxBuffer: 500_000_000 },
  );
  return stdout.split('\n').filter((line) => !/^\\(un)?restrict/.test(line));
}
