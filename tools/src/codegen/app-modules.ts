import { globSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

export interface AppConfig {
  /** Of the service, from the name of the exported schema: `SnapshotHolderConfig` → `snapshot-holder`. */
  readonly name: string;
  readonly schema: z.ZodType;
}

/** The configuration of every app that has one: the schema that `apps/<app>/src/<app>.config.ts` exports. Apps must be built. */
export async function readAppConfigs(workspaceRoot: string): Promise<readonly AppConfig[]> {
  const configs: AppConfig[] = [];
  for (const file of globSync('apps/*/dist/*.config.js', { cwd: workspaceRoot }).toSorted()) {
    const exported = Object.entries(await importBuilt(path.join(workspaceRoot, file)));
    for (const [exportName, schema] of exported) {
      if (!exportName.endsWith('Config') || !(schema instanceof z.ZodType)) continue;
      const words = exportName.replace(/Config$/, '').replaceAll(/(?!^)[A-Z]/g, (letter) => `-${letter}`);
      configs.push({ name: words.toLowerCase(), schema });
    }
  }
  return configs;
}

/** The OpenAPI document as task management serves it. */
export async function readOpenApi(workspaceRoot: string): Promise<unknown> {
  const { openApiDocument } = await importBuilt(path.join(workspaceRoot, 'apps/task-management/dist/api/openapi.js'));
  if (typeof openApiDocument !== 'function') throw new TypeError('task-management exports no openApiDocument()');
  return openApiDocument();
}

/** Nothing may depend on an app, so that its built modules are found by path at run time. */
async function importBuilt(file: string): Promise<Readonly<Record<string, unknown>>> {
  return await import(pathToFileURL(file).href);
}
