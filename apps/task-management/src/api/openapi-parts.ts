import { z } from 'zod';

export type Json = Readonly<Record<string, unknown>>;

/** Of the object in the path. */
export const ID = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };

export const IDEMPOTENCY = {
  name: 'Idempotency-Key',
  in: 'header',
  schema: { type: 'string', maxLength: 255 },
  description: 'A repeated request with the same key makes no second object.',
};

export function operation(operationId: string, summary: string): Json {
  return { operationId, summary };
}

export function json(name: string, mediaType = 'application/json'): Json {
  return { [mediaType]: { schema: { $ref: `#/components/schemas/${name}` } } };
}

export function answer(name: string, description: string): Json {
  return { description, content: json(name) };
}

const integer = { schema: { type: 'integer' } };

/** The first three are in every answer to a key. */
const RATE_HEADERS = {
  'RateLimit-Limit': { ...integer, description: 'Requests that may come at once after a pause.' },
  'RateLimit-Remaining': { ...integer, description: 'Requests that could follow at once.' },
  'RateLimit-Reset': { ...integer, description: 'Seconds until the next request is answered; 0: now.' },
  'Retry-After': { ...integer, description: 'Seconds to wait.' },
};

/** Any route that needs a key can be refused for want of one, or of a role, or because the key asks too often. */
const ALWAYS = [401, 403, 429];

export function problems(...own: readonly number[]): Json {
  const statuses = [...ALWAYS, ...own];
  const content = json('Problem', 'application/problem+json');
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: 'Problem (RFC 9457)', ...(status === 429 && { headers: RATE_HEADERS }), content },
    ]),
  );
}

export function queryParameters(query: z.ZodType): readonly Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

/** @param example is checked against the schema, so that what people copy works. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output', example?: unknown): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  if (example === undefined) return rest;
  schema.parse(example);
  return { ...rest, examples: [example] };
}
