import { type NameMapping } from './ddl-plan.js';

export function mapSchema({ schemas = {} }: NameMapping, schema: string): string {
  return schemas[schema] ?? schema;
}

export function rewriteNames(statement: string, _mapping: NameMapping, _searchPath: readonly string[]): string {
  return statement;
}
