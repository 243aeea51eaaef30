import { describe, expect, it } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { dedicatedNats, testNats } from '../index.js';

async function streamNames(url: string, add?: string): Promise<string[]> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    if (add !== undefined) await manager.streams.add({ name: add, subjects: [`${add}.>`] });
    const names: string[] = [];
    for await (const name of manager.streams.names()) names.push(name);
    return names;
  } finally {
    await connection.close();
  }
}

describe('testNats', () => {
  it('is one server within a test file', async () => {
    const [first, second] = [await testNats(), await testNats()];
    expect(second.url).toBe(first.url);
    expect(await streamNames(first.url)).toEqual([]);
  });
});

describe('dedicatedNats', () => {
  it('keeps streams over kill9 and loses them by a wipe', async () => {
    await using server = await dedicatedNats();
    expect(await streamNames(server.url, 'kept')).toEqual(['kept']);
    await server.kill9();
    await server.restart();
    expect(await streamNames(server.url)).toEqual(['kept']);
    await server.restart({ wipe: true });
    expect(await streamNames(server.url)).toEqual([]);
  });
});
