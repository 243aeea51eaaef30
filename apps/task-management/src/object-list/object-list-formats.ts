import { SluiceError } from '@sluice/contracts';
import { formatCsv, type ListLine, parseCsv } from './csv.js';
import { formatXlsx, parseXlsx } from './xlsx.js';

export const LIST_FORMATS = ['csv', 'xlsx'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<ListFormat, string>> = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** @throws SluiceError 6001 when the media type is none of a list. */
export function formatOf(contentType: string | undefined): ListFormat {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const format = LIST_FORMATS.find((candidate) => MEDIA_TYPES[candidate] === mediaType);
  if (format) return format;
  throw new SluiceError('SLUICE-6001', {
    detail: `a list is sent as ${LIST_FORMATS.map((known) => MEDIA_TYPES[known]).join(' or ')}`,
    remedy: 'Set the header Content-Type.',
  });
}

export function readLines(bytes: Uint8Array, format: ListFormat): ListLine[] {
  return format === 'csv' ? parseCsv(bytes) : parseXlsx(bytes);
}

export function writeLines(rows: readonly (readonly string[])[], format: ListFormat): Uint8Array {
  return format === 'csv' ? Buffer.from(formatCsv(rows), 'utf8') : formatXlsx(rows);
}
