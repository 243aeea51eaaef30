import { SluiceError } from '@sluice/contracts';
import { SaxesParser } from 'saxes';
import { type ListLine } from './csv.js';
import { packZip, unpackZip, type ZipEntry } from './zip.js';
import { fromXmlText, toXmlText } from './xlsx-text.js';

/** Those behind are no part of a list. */
const COLUMNS_MAX = 16;

/**
 * The lines of the first sheet of a workbook. Of its parts only texts are read: no formula is computed, no link is followed, no
 * entity is expanded (the parser knows none but those of XML).
 * @throws SluiceError 6001 when it is no workbook.
 */
export function parseXlsx(bytes: Uint8Array): ListLine[] {
  const parts = new Map(unpackZip(bytes).map(({ name, bytes: content }) => [name, content]));
  const sheet = parts.get(firstSheet(parts));
  if (!sheet) throw notReadable('it has no sheet');
  const strings = parts.get('xl/sharedStrings.xml');
  return readSheet(sheet, strings ? readSharedStrings(strings) : []);
}

type Attributes = Readonly<Record<string, string>>;

interface XmlHandlers {
  readonly open?: (name: string, attributes: Attributes) => void;
  readonly text?: (text: string) => void;
  readonly close?: (name: string) => void;
}

function readXml(bytes: Uint8Array, { open, text, close }: XmlHandlers): void {
  const parser = new SaxesParser();
  const local = (name: string): string => name.slice(name.indexOf(':') + 1);
  const failures: Error[] = [];
  parser.on('error', (error) => failures.push(error));
  parser.on('opentag', (tag) => open?.(local(tag.name), tag.attributes));
  parser.on('text', (found) => text?.(found));
  parser.on('cdata', (found) => text?.(found));
  parser.on('closetag', (tag) => close?.(local(tag.name)));
  parser.write(new TextDecoder('utf-8').decode(bytes)).close();
  const [failure] = failures;
  if (failure) throw notReadable('a part of it is no XML', failure);
}

/** By the order in which a person sees sheets, which is not that of their files. */
function firstSheet(parts: ReadonlyMap<string, Uint8Array>): string {
  let relation: string | undefined;
  let target: string | undefined;
  readXml(parts.get('xl/workbook.xml') ?? new Uint8Array(), {
    open: (name, attributes) => {
      if (name === 'sheet') relation ??= attributes['r:id'];
    },
  });
  readXml(parts.get('xl/_rels/workbook.xml.rels') ?? new Uint8Array(), {
    open: (name, attributes) => {
      if (name === 'Relationship' && attributes['Id'] === relation) target = attributes['Target'];
    },
  });
  if (target === undefined) throw notReadable('it has no sheet');
  return target.startsWith('/') ? target.slice(1) : `xl/${target}`;
}

function readSharedStrings(bytes: Uint8Array): string[] {
  const strings: string[] = [];
  let current = '';
  let isText = false;
  let isPhonetic = false;
  readXml(bytes, {
    open: (name) => {
      if (name === 'si') current = '';
      if (name === 'rPh') isPhonetic = true;
      if (name === 't') isText = !isPhonetic;
    },
    text: (text) => {
      if (isText) current += text;
    },
    close: (name) => {
      if (name === 't') isText = false;
      if (name === 'rPh') isPhonetic = false;
      if (name === 'si') strings.push(fromXmlText(current));
    },
  });
  return strings;
}

function readSheet(bytes: Uint8Array, strings: readonly string[]): ListLine[] {
  const lines: ListLine[] = [];
  let line: { number: number; cells: string[] } = { number: 0, cells: [] };
  let cell = { column: 0, type: '', text: '' };
  let isText = false;
  readXml(bytes, {
    open: (name, attributes) => {
      if (name === 'row') line = { number: Number(attributes['r'] ?? line.number + 1), cells: [] };
      if (name === 'c') {
        const column = columnOf(attributes['r']) ?? line.cells.length;
        cell = { column, type: attributes['t'] ?? 'n', text: '' };
      }
      if (name === 'v' || name === 't') isText = true;
    },
    text: (text) => {
      if (isText) cell.text += text;
    },
    close: (name) => {
      if (name === 'v' || name === 't') isText = false;
      if (name === 'c' && cell.column < COLUMNS_MAX) {
        while (line.cells.length < cell.column) line.cells.push('');
        line.cells[cell.column] = cell.type === 's' ? (strings[Number(cell.text)] ?? '') : fromXmlText(cell.text);
      }
      if (name === 'row') lines.push(line);
    },
  });
  return lines;
}

/** `B7` → 1. */
function columnOf(reference: string | undefined): number | null {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? '')?.[1];
  if (letters === undefined) return null;
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** A workbook of one sheet; every cell is text, so that nothing in it is taken for a formula. */
export function formatXlsx(rows: readonly (readonly string[])[]): Uint8Array {
  const cell = (text: string, column: number, row: number): string =>
    text === ''
      ? ''
      : `<c r="${String.fromCharCode(65 + column)}${row}" t="inlineStr"><is><t xml:space="preserve">${toXmlText(text)}</t></is></c>`;
  const lines = rows.map(
    (cells, index) =>
      `<row r="${index + 1}">${cells.map((text, column) => cell(text, column, index + 1)).join('')}</row>`,
  );
  const parts: readonly (readonly [name: string, xml: string])[] = [
    [
      '[Content_Types].xml',
      `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${TYPES}.worksheet+xml"/></Types>`,
    ],
    [
      '_rels/.rels',
      `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    ],
    [
      'xl/workbook.xml',
      `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets><sheet name="objects" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    ],
    ['xl/worksheets/sheet1.xml', `<worksheet xmlns="${MAIN}"><sheetData>${lines.join('')}</sheetData></worksheet>`],
  ];
  return packZip(parts.map(([name, xml]): ZipEntry => ({ name, bytes: Buffer.from(XML + xml, 'utf8') })));
}

function notReadable(why: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-6001', { detail: `the workbook cannot be read: ${why}`, cause });
}
