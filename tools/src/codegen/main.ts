/**
 * Writes docs/generated from code. With `--check` it writes nothing and ends with 1 when a committed file differs.
 * Usage: npm run codegen [-- --check]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readAppConfigs, readOpenApi } from './app-modules.js';
import { asyncApiDocument } from './asyncapi.js';
import { configurationPage } from './configuration-page.js';
import { errorsPage } from './errors-page.js';
import { stateTablePage } from './state-table-page.js';

const WORKSPACE_ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.join(WORKSPACE_ROOT, 'docs/generated');

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const files: Readonly<Record<string, string>> = {
  'errors.md': errorsPage(),
  'state-table.md': stateTablePage(),
  'configuration.md': configurationPage(await readAppConfigs(WORKSPACE_ROOT)),
  'openapi.json': json(await readOpenApi(WORKSPACE_ROOT)),
  'asyncapi.json': json(asyncApiDocument()),
};

function committed(name: string): string | null {
  try {
    return readFileSync(path.join(FOLDER, name), 'utf8');
  } catch {
    return null;
  }
}

const differing = Object.keys(files).filter((name) => committed(name) !== files[name]);
if (process.argv.includes('--check')) {
  for (const name of differing) console.error(`docs/generated/${name} differs from the code: run "npm run codegen"`);
  process.exitCode = differing.length > 0 ? 1 : 0;
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of differing) writeFileSync(path.join(FOLDER, name), files[name] ?? '');
  console.log(`codegen: ${differing.length} of ${Object.keys(files).length} files changed`);
}
