import { SluiceError } from '@sluice/contracts';
import { type LogicalMessage, type Relation, CELL_KIND, type TupleView } from '@sluice/postgres-replication';
import { DdlEvent } from './ddl-event.js';
import { SIGNATURE_BYTES } from './event-signing.js';

/** The table that carries events where the server has no logical messages to clients (before PostgreSQL 14), in the helper schema. */
export const EVENT_TABLE = 'ddl_event';
const EVENT_COLUMN = 'event';

/**
 * Texts that earlier events of the same source transaction carried, by hash. A text of many statements travels once, not once per
 * statement. One map per source transaction, filled by decoding all its events in order.
 */
export type StatementTexts = Map<string, string>;

/** @throws SluiceError 4004 when it is no event of ours. */
export function decodeDdlEvent(json: string, texts: StatementTexts): DdlEvent {
  const raw = parse(json);
  if (typeof raw.query === 'string' && typeof raw.queryHash === 'string') texts.set(raw.queryHash, raw.query);
  const query = typeof raw.queryHash === 'string' ? (texts.get(raw.queryHash) ?? null) : null;
  const event = DdlEvent.safeParse({ ...raw, query });
  if (!event.success) {
    throw new SluiceError('SLUICE-4004', {
      detail: 'a DDL event of the source has another form than expected',
      cause: event.error,
    });
  }
  return event.data;
}

function parse(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The message has the form of an event; whether the capture wrote it, only its signature says. */
export function isDdlMessage(message: LogicalMessage, helperName: string): boolean {
  return message.isTransactional && message.prefix === helperName;
}

/** The JSON of an event in the content of a message. */
export function ddlEventOfMessage({ content }: LogicalMessage, { isSigned }: { readonly isSigned: boolean }): string {
  return decodeText(isSigned ? content.subarray(SIGNATURE_BYTES) : content);
}

/** True for the table whose inserts are DDL events; its other changes mean nothing. */
export function isDdlEventTable(relation: Relation, helperName: string): boolean {
  return relation.schema === helperName && relation.name === EVENT_TABLE;
}

/** The JSON of a DDL event in an inserted row of that table. `tuple` lies in `buffer`. */
export function ddlEventOfRow(relation: Relation, buffer: Uint8Array, tuple: TupleView): string | null {
  const index = relation.columns.findIndex(({ name }) => name === EVENT_COLUMN);
  const start = tuple.starts[index];
  const length = tuple.lengths[index];
  const isValue = tuple.kinds[index] === CELL_KIND.text || tuple.kinds[index] === CELL_KIND.binary;
  if (!isValue || start === undefined || length === undefined) return null;
  const base64 = new TextDecoder('latin1').decode(buffer.subarray(start, start + length));
  return decodeText(Buffer.from(base64, 'base64'));
}

/** A database of encoding SQL_ASCII holds any bytes; what is not UTF-8 cannot be executed as it was. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return JSON.stringify({
      version: 1,
      kind: 'unreadable',
      tag: 'unknown',
      sqlState: '22021',
      reason: 'it contains text that is not UTF-8',
    });
  }
}
