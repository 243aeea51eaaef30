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

/** Any route that needs a key can be refused for want of one, or of a role. */
const ALWAYS = [401, 403];

export function problems(...own: readonly number[]): Json {
  const statuses = [...ALWAYS, ...own];
  const content = json('Problem', 'application/problem+json');
  return Object.fromEntries(statuses.map((status) => [status, { description: 'Problem (RFC 9457)', content }]));
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
