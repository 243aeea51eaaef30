import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const WORKSPACE = path.resolve(import.meta.dirname, '../../..');
const bin = (name: string): string => path.join(WORKSPACE, 'node_modules/.bin', name);

/** The rules that the linter reports for `source` in the place of an existing file. */
function violations(file: string, source: string): string[] {
  const { stdout, stderr } = spawnSync(bin('eslint'), ['--stdin', '--stdin-filename', file, '--format', 'json'], {
    cwd: WORKSPACE,
    input: source,
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  const results: unknown = JSON.parse(stdout);
  if (!Array.isArray(results)) throw new Error('no results');
  return results.flatMap(({ messages }: { messages: { ruleId: string }[] }) => messages.map(({ ruleId }) => ruleId));
}

describe('module boundaries', () => {
  // The boundary rule reads the project graph that Nx has cached, and passes everything when there is none.
  spawnSync(bin('nx'), ['show', 'projects'], { cwd: WORKSPACE, env: { ...process.env, NX_DAEMON: 'false' } });

  it.each([
    {
      what: 'a data-plane app that opens the metadata database',
      file: 'apps/capture/src/main.ts',
      imported: '@sluice/metadata',
      rule: '@nx/enforce-module-boundaries',
    },
    {
      what: 'the model that depends on an adapter',
      file: 'libs/model/src/lsn.ts',
      imported: '@sluice/messaging',
      rule: '@nx/enforce-module-boundaries',
    },
    {
      what: 'the kernel that depends on anything',
      file: 'libs/kernel/src/delay.ts',
      imported: '@sluice/contracts',
      rule: '@nx/enforce-module-boundaries',
    },
    {
      what: 'an app that talks to PostgreSQL without the adapters',
      file: 'apps/apply/src/main.ts',
      imported: 'pg',
      rule: 'no-restricted-imports',
    },
    {
      what: 'an adapter that uses a client whose home is elsewhere',
      file: 'libs/postgres/writer/src/index.ts',
      imported: '@nats-io/jetstream',
      rule: 'no-restricted-imports',
    },
  ])('refuses $what', ({ file, imported, rule }) => {
    expect(violations(file, `import '${imported}';\n`)).toContain(rule);
  });

  it('lets an app use an adapter of its scope', () => {
    expect(violations('apps/apply/src/main.ts', "import '@sluice/postgres-writer';\n")).toEqual([]);
  });
});
