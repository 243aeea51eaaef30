import { type Msg } from '@nats-io/nats-core';
import { type SluiceError } from '@sluice/contracts';
import { type z } from 'zod';
import { invalidMessage } from './bus-error.js';

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SluiceError };

/** The message's JSON as the schema's type. What was in a bad message is not repeated: it may hold what must not be logged. */
export function decodeMessage<Schema extends z.ZodType>(schema: Schema, message: Msg): Decoded<z.output<Schema>> {
  let json: unknown;
  try {
    json = message.json();
  } catch {
    return { ok: false, error: invalidMessage(message.subject, 'not JSON') };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, value: parsed.data };
  const fields = parsed.error.issues.map(({ path, code }) => `${path.join('.')} (${code})`).join(', ');
  return { ok: false, error: invalidMessage(message.subject, `does not fit its schema: ${fields}`) };
}
