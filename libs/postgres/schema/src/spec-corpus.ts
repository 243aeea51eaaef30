import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Each folder holds what a server of its major and later ones understand. */
const CORPUS = path.join(import.meta.dirname, '../corpus');

interface CorpusFile {
  readonly since: number;
  readonly sql: string;
}

const CORPUS_FILES: readonly CorpusFile[] = readdirSync(CORPUS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => ({
    since: Number(/^since-(\d+)/.exec(name)?.[1]),
    sql: readFileSync(path.join(CORPUS, name), 'utf8'),
  }));

/** Roles belong to the server, so they are made before any schema. */
export const CORPUS_ROLES = `
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_owner') THEN CREATE ROLE sluice_owner; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_reader') THEN CREATE ROLE sluice_reader; END IF;
  END $$`;

/** All that a server of the major understands, in one database. */
export function corpusOf(major: number): string {
  return [CORPUS_ROLES, ...CORPUS_FILES.filter(({ since }) => since <= major).map(({ sql }) => sql)].join(';\n');
}
