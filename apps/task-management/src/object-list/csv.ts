import { SluiceError } from '@sluice/contracts';

/** One line of a list, with the number that a person sees beside it in an editor. */
export interface ListLine {
  readonly number: number;
  readonly cells: readonly string[];
}

/**
 * RFC 4180: fields in double quotes may hold separators, line breaks and doubled quotes. The separator is a comma, or, where the first line has none,
 * the semicolon or tab that spreadsheets of other countries write.
 * @throws SluiceError 6001 when it is no text in UTF-8, or a quote is not closed.
 */
export function parseCsv(bytes: Uint8Array): ListLine[] {
  const text = decode(bytes);
  const separator = separatorOf(text);
  const lines: ListLine[] = [];
  let cells: string[] = [];
  let cell = '';
  let lineNumber = 1;
  let beganAt = 1;
  const endLine = (): void => {
    lines.push({ number: beganAt, cells: [...cells, cell] });
    [cells, cell] = [[], ''];
    beganAt = lineNumber;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"' && cell === '') {
      const quoted = readQuoted(text, { at, lineNumber });
      cell = quoted.value;
      lineNumber += quoted.breaks;
      at = quoted.end;
    } else if (character === separator) [cells, cell] = [[...cells, cell], ''];
    else if (character === '\n') {
      lineNumber += 1;
      endLine();
    } else if (character !== '\r') cell += character;
  }
  if (cell !== '' || cells.length > 0) endLine();
  return lines;
}

function readQuoted(
  text: string,
  { at, lineNumber }: { readonly at: number; readonly lineNumber: number },
): { value: string; breaks: number; end: number } {
  let value = '';
  let from = at + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1)
      throw new SluiceError('SLUICE-6001', { detail: `line ${lineNumber}: a double quote is not closed` });
    value += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { value, breaks: value.split('\n').length - 1, end: quote };
    value += '"';
    from = quote + 2;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    // Without the byte order mark that spreadsheets write.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SluiceError('SLUICE-6001', { detail: 'the list is not text in UTF-8', cause: error });
  }
}

function separatorOf(text: string): string {
  const [first = ''] = text.split('\n', 1);
  const outside = first.replaceAll(/"(?:[^"]|"")*"/g, '');
  return [',', ';', '\t'].find((separator) => outside.includes(separator)) ?? ',';
}

/** Lines end in CRLF, as the RFC has it. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(formatCell).join(',')}\r\n`).join('');
}

function formatCell(cell: string): string {
  return /[",\r\n;\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
