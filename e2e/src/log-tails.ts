import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const SHOWN_LINES_MAX = 12;
const SHOWN_CHARACTERS_MAX = 600;

/** What the services complained about last, for the message of a test that failed. */
export function logTails(logDir: string): string {
  return readdirSync(logDir)
    .filter((file) => file.endsWith('.log'))
    .map((file) => {
      const lines = readFileSync(path.join(logDir, file), 'utf8').trimEnd().split('\n');
      const complaints = lines.filter((line) => !line.includes('"level":"info"') || line.includes('"err"'));
      const shown = complaints.slice(-SHOWN_LINES_MAX).map((line) => `  ${line.slice(0, SHOWN_CHARACTERS_MAX)}`);
      return [file, ...shown].join('\n');
    })
    .join('\n');
}
