import { type CapturedDdl } from '../ddl-event.js';

/** The schemas of the session's search_path, `$user` being the one of the session's role. */
export function searchPath({ settings, user }: CapturedDdl): string[] {
  const found = (settings['search_path'] ?? '').match(/"(?:[^"]|"")*"|[^,\s"]+/g) ?? [];
  return found
    .map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name))
    .map((name) => (name === '$user' ? user : name))
    .filter((name) => name !== '');
}
