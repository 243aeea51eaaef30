import { readRows, sql } from '@sluice/postgres-catalog';
import { type Client, quoteIdentifier } from '@sluice/postgres-client';
import { type StructurePlan } from '@sluice/postgres-schema';
import { type Check, failed, listSome, passed, statements } from '../check.js';

interface Extension {
  readonly name: string;
  readonly version: string;
}

export const targetExtensions: Check = {
  id: 'target-extensions',
  title: 'Target has the extensions of the source, at least as new',
  dependsOn: ['not-same-database'],
  run: async ({ source, target, judge, structure }) => {
    const used = await readUsed(source, judge.level === 'table' ? await structure() : null);
    const installed = versionsByName(await readInstalled(target));
    const missing = used.filter(({ name }) => !installed.has(name));
    // Asked for only when needed: one damaged control file on the target's machine makes the whole list unreadable.
    const available = versionsByName(missing.length === 0 ? [] : await readAvailable(target, missing));
    const problems = used.flatMap((extension) => problemOf(extension, { installed, available }) ?? []);
    if (problems.length === 0) return passed(listSome(used.map(({ name, version }) => `${name} ${version}`)));
    return failed({
      evidence: listSome(problems.map(({ evidence }) => evidence)),
      reason: 'Objects and values of the source depend on these extensions.',
      fix: statements(problems.map(({ fix }) => fix)),
    });
  },
};

/** Of chosen objects only what these need; `plan` is null when all objects come, which may need what no catalog tells. */
async function readUsed(source: Client, plan: StructurePlan | null): Promise<Extension[]> {
  const installed = await readInstalled(source);
  if (!plan) return installed;
  const needed = new Set([...plan.preData, ...plan.unsupported].map(({ identity }) => identity));
  return installed.filter(({ name }) => needed.has(`extension ${quoteIdentifier(name)}`));
}

function readInstalled(client: Client): Promise<Extension[]> {
  return readRows<Extension>(
    client,
    sql`SELECT e.extname::text AS name, e.extversion AS version FROM pg_catalog.pg_extension e ORDER BY 1`,
  );
}

function readAvailable(target: Client, extensions: readonly Extension[]): Promise<Extension[]> {
  return readRows<Extension>(
    target,
    sql`
      SELECT a.name::text AS name, a.default_version AS version
      FROM pg_catalog.pg_available_extensions a
      WHERE a.name = ANY ($1::text[])`,
    [extensions.map(({ name }) => name)],
  );
}

type Versions = ReadonlyMap<string, string>;

function versionsByName(extensions: readonly Extension[]): Versions {
  return new Map(extensions.map(({ name, version }) => [name, version]));
}

function problemOf(
  { name, version }: Extension,
  onTarget: { readonly installed: Versions; readonly available: Versions },
): { readonly evidence: string; readonly fix: string } | null {
  const installed = onTarget.installed.get(name);
  if (installed !== undefined) {
    if (compareVersions(installed, version) >= 0) return null;
    const evidence = `${name} is ${version} on the source and ${installed} on the target`;
    return { evidence, fix: `ALTER EXTENSION ${quoteIdentifier(name)} UPDATE;` };
  }
  const available = onTarget.available.get(name);
  if (available !== undefined && compareVersions(available, version) >= 0) return null;
  return {
    evidence:
      available === undefined
        ? `${name} ${version} is not available on the target`
        : `${name} is ${version} on the source, and the target has ${available}`,
    fix: `-- install a package with extension ${name} ${version} or later on the target's machine`,
  };
}

/** Part by part, numbers as numbers: 1.10 is after 1.9. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
