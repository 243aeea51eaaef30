import { ERRORS, type ErrorSpec } from '@sluice/contracts';
import { GENERATED_NOTE, markdownTable, page } from './markdown.js';

const RETRY_WORDS: Readonly<Record<ErrorSpec['retry'], string>> = {
  backoff: 'for ever, with backoff',
  limited: 'three times',
  manual: 'no',
};

/** The catalogue of errors. */
export function errorsPage(): string {
  const rows = Object.entries<ErrorSpec>(ERRORS).map(([code, { title, httpStatus, retry, remedy }]) => [
    `\`${code}\``,
    title,
    String(httpStatus),
    RETRY_WORDS[retry],
    remedy,
  ]);
  return page(
    GENERATED_NOTE,
    '# Errors',
    'Ranges: 1xxx connection · 2xxx precheck · 3xxx full load · 4xxx capture · 5xxx apply · 6xxx task and API · 7xxx messaging · 9xxx internal. Codes are never reused.',
    markdownTable(['code', 'title', 'HTTP status', 'retried by itself', 'remedy'], rows),
  );
}
