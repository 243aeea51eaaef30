import { type z } from 'zod';

/** A subject of the bus: its pattern with wildcards, how a concrete one is formed, and the schema of its payload. */
export interface Subject<Params, Payload extends z.ZodType> {
  readonly pattern: string;
  readonly format: (params: Params) => string;
  readonly payload: Payload;
}

export function defineSubject<Params, Payload extends z.ZodType>(
  subject: Subject<Params, Payload>,
): Subject<Params, Payload> {
  return subject;
}
