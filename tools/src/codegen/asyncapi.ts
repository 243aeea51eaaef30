import * as contracts from '@sluice/contracts';
import { z } from 'zod';

interface SubjectLike {
  readonly pattern: string;
  readonly payload: z.ZodType;
}

/** Messages of the bus, from every subject that the contracts export. */
export function asyncApiDocument(): unknown {
  const subjects = Object.entries<unknown>(contracts).flatMap(([name, value]) =>
    isSubject(value) ? [[name, value] as const] : [],
  );
  const channels = subjects.map(([name, { pattern }]) => [
    name,
    { address: pattern, messages: { [name]: { $ref: `#/components/messages/${name}` } } },
  ]);
  const operations = subjects.map(([name]) => [
    name,
    {
      action: 'send',
      channel: { $ref: `#/channels/${name}` },
      messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
    },
  ]);
  const messages = subjects.map(([name, { payload }]) => [
    name,
    { name, contentType: 'application/json', payload: z.toJSONSchema(payload, { io: 'input' }) },
  ]);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Sluice bus',
      version: '1',
      description:
        'NATS subjects and their JSON payloads. `*` in an address stands for one token. The binary change stream is described in docs/replication/02-change-stream.md.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: { messages: Object.fromEntries(messages) },
  };
}

function isSubject(value: unknown): value is SubjectLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pattern' in value &&
    typeof value.pattern === 'string' &&
    'payload' in value &&
    value.payload instanceof z.ZodType
  );
}
