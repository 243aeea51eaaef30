/**
 * Compiles the TypeScript of one project, or of all, from src/ to dist/ with SWC: one process, only what changed.
 * Types are checked by `npm run typecheck`, not here. Usage: node tools/build/build.mjs [PROJECT_ROOT ...]
 */
import { transformFile } from '@swc/core';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const workspaceRoot = path.resolve(import.meta.dirname, '../..');
const { workspaces } = JSON.parse(readFileSync(path.join(workspaceRoot, 'package.json'), 'utf8'));

const OPTIONS = {
  swcrc: false,
  sourceMaps: true,
  module: { type: 'es6' },
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};

function projectRoots() {
  const named = process.argv.slice(2);
  if (named.length > 0) return named.map((root) => path.resolve(root));
  return workspaces
    .flatMap((pattern) => globSync(pattern, { cwd: workspaceRoot }))
    .map((root) => path.join(workspaceRoot, root));
}

function isUpToDate(source, output) {
  return existsSync(output) && statSync(output).mtimeMs >= statSync(source).mtimeMs;
}

async function buildFile(source, output) {
  const { code, map } = await transformFile(source, {
    ...OPTIONS,
    sourceFileName: path.relative(path.dirname(output), source),
  });
  mkdirSync(path.dirname(output), { recursive: true });
  writeFileSync(`${output}.map`, map ?? '');
  writeFileSync(output, `${code}\n//# sourceMappingURL=${path.basename(output)}.map\n`);
}

function removeStale(dist, expected) {
  if (!existsSync(dist)) return;
  for (const file of globSync('**/*.js', { cwd: dist })) {
    if (expected.has(file)) continue;
    rmSync(path.join(dist, file), { force: true });
    rmSync(path.join(dist, `${file}.map`), { force: true });
  }
}

let builtCount = 0;
for (const root of projectRoots()) {
  const src = path.join(root, 'src');
  const dist = path.join(root, 'dist');
  if (!existsSync(src)) continue;
  const sources = globSync('**/*.ts', { cwd: src }).filter(
    (file) => !file.endsWith('.spec.ts') && !file.endsWith('.d.ts'),
  );
  removeStale(dist, new Set(sources.map((file) => file.replace(/\.ts$/, '.js'))));
  await Promise.all(
    sources.map(async (file) => {
      const source = path.join(src, file);
      const output = path.join(dist, file.replace(/\.ts$/, '.js'));
      if (isUpToDate(source, output)) return;
      await buildFile(source, output);
      builtCount += 1;
    }),
  );
}
process.stdout.write(`build: ${builtCount} file(s) compiled\n`);
