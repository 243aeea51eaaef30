import { describe, expect, it } from '@jest/globals';
import { sequenceMessages, type SequencesMessage } from '@sluice/contracts';
import { connectBus, publish } from '@sluice/messaging';
import { createLogger } from '@sluice/telemetry';
import { testDatabase, testNats, waitFor } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { SequenceSink } from './sequence-sink.js';

const LOG = createLogger({ service: 'apply-spec', level: 'silent' });

describe('SequenceSink', () => {
  it('sets what is there, says once what is not, and waits for no lock', async () => {
    const taskId = randomUUID();
    await using bus = await connectBus({ servers: (await testNats()).url, name: 'apply-spec', log: LOG });
    await using target = await testDatabase({ schema: 'CREATE SEQUENCE a; CREATE SEQUENCE b' });
    const told: unknown[] = [];
    const log = { info: () => undefined, warn: (fields: { sequence: string }) => void told.push(fields.sequence) };
    await using _sink = new SequenceSink(bus, { taskId, target: target.endpoint, log });
    await bus.connection.flush();
    const send = (sequences: SequencesMessage['sequences']): Promise<void> =>
      publish(bus, sequenceMessages, {
        params: { taskId },
        payload: { version: 1, taskId, sequences },
        durable: false,
      });
    const at = (name: string, lastValue: string, isCalled = true): SequencesMessage['sequences'][number] => ({
      schema: 'public',
      name,
      lastValue,
      isCalled,
    });
    const until = (name: string, lastValue: string): Promise<unknown> =>
      waitFor(`${name} at ${lastValue}`, async () => {
        const [row] = await target.query<{ value: string }>(`SELECT last_value::text AS value FROM ${name}`);
        return row?.value === lastValue;
      });
    await send([at('a', '50'), at('gone', '1'), at('b', '9223372036854775807', false)]);
    await until('a', '50');
    await until('b', '9223372036854775807');
    await send([at('a', '3', false), at('gone', '2')]);
    await until('a', '3');
    // Somebody holds `b` for long: the message fails, and the one after it is not held up.
    const holder = await target.connect();
    await holder.query('BEGIN');
    await holder.query('ALTER SEQUENCE b INCREMENT 2');
    await send([at('b', '7')]);
    await send([at('a', '4')]);
    await until('a', '4');
    await holder.query('ROLLBACK');
    await send([at('b', '7')]);
    await until('b', '7');
    expect(told).toEqual(['public.gone', 'public.b']);
  });
});
