import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { dedicatedNats, testNats, waitFor } from '@sluice/testing';
import { type Bus } from './bus.js';
import { type ChangePublisher } from './change-publisher.js';
import { type ChangeReader } from './change-reader.js';
import {
  ChangeStreamMissingError,
  PublisherFencedError,
  PublishUncertainError,
  ReaderDisconnectedError,
  ReaderReplacedError,
} from './change-stream-errors.js';
import { changeStreams } from './change-streams.js';
import { specBus } from './spec-builders.js';

jest.setTimeout(60_000);

const MEBIBYTE = 1024 * 1024;

function payload(index: number, bytes = 16): Uint8Array {
  const result = new Uint8Array(bytes);
  new DataView(result.buffer).setUint32(0, index);
  return result;
}

function indexOf(message: { payload: Uint8Array }): number {
  const { buffer, byteOffset } = message.payload;
  return new DataView(buffer, byteOffset).getUint32(0);
}

/** Publishes `count` batches, all under way at once. */
function publishMany(publisher: ChangePublisher, count: number, bytes?: number): Promise<{ sequence: number }[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => publisher.publish(payload(index, bytes), { Ordinal: `${index}` })),
  );
}

async function take(reader: ChangeReader, count: number): Promise<number[]> {
  const indexes: number[] = [];
  while (indexes.length < count) {
    const message = await reader.next(10_000);
    if (!message) throw new Error(`only ${indexes.length} of ${count} messages came`);
    indexes.push(indexOf(message));
  }
  return indexes;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('change streams', () => {
  let bus: Bus;
  beforeAll(async () => {
    bus = await specBus((await testNats()).url);
  });
  afterAll(() => bus.close());

  async function newStream(maxBytes = 64 * MEBIBYTE): Promise<string> {
    const taskId = randomUUID();
    await changeStreams(bus).ensure(taskId, { maxBytes });
    return taskId;
  }

  it('carries batches in order and removes them when they are acked', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream();
    using publisher = await streams.openPublisher(taskId);
    expect(await publisher.lastMessage()).toBeNull();
    const stored = await publishMany(publisher, 200);
    expect(stored.map(({ sequence }) => sequence)).toEqual(range(1, 201));
    expect(await publisher.lastMessage()).toMatchObject({ sequence: 200, headers: { Ordinal: '199' } });
    await using reader = await streams.openReader(taskId);
    expect(await take(reader, 200)).toEqual(range(0, 200));
    reader.ackThrough(150);
    await waitFor('150 are gone', async () => (await streams.info(taskId))?.messageCount === 50);
    expect(reader.unackedCount).toBe(50);
    expect(await reader.next(50)).toBeNull();
  });

  it('goes on behind the last sequence although every message was acked', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream();
    using first = await streams.openPublisher(taskId);
    await publishMany(first, 3);
    await using reader = await streams.openReader(taskId);
    await take(reader, 3);
    reader.ackThrough(3);
    await waitFor('all are gone', async () => (await streams.info(taskId))?.messageCount === 0);
    using second = await streams.openPublisher(taskId);
    expect(await second.lastMessage()).toBeNull();
    expect(await second.publish(payload(3), {})).toEqual({ sequence: 4 });
    expect(await take(reader, 1)).toEqual([3]);
  });

  it('refuses a publisher after another one wrote, and everything behind it', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream();
    using stale = await streams.openPublisher(taskId);
    await publishMany(stale, 2);
    using fresh = await streams.openPublisher(taskId);
    await fresh.publish(payload(2), {});
    const refused = await Promise.allSettled([stale.publish(payload(8), {}), stale.publish(payload(9), {})]);
    for (const result of refused) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(PublisherFencedError) });
    }
    await expect(stale.publish(payload(9), {})).rejects.toBeInstanceOf(PublisherFencedError);
    expect(await fresh.publish(payload(3), {})).toEqual({ sequence: 4 });
  });

  it('waits when the stream is full and keeps the order of everything under way', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream(MEBIBYTE);
    using publisher = await streams.openPublisher(taskId);
    const all = publishMany(publisher, 100, 64 * 1024);
    await waitFor('the stream is full', () => publisher.isStreamFull);
    await using reader = await streams.openReader(taskId);
    const seen: number[] = [];
    while (seen.length < 100) {
      const message = await reader.next(10_000);
      if (!message) break;
      seen.push(indexOf(message));
      reader.ackThrough(message.sequence);
    }
    expect(seen).toEqual(range(0, 100));
    expect((await all).map(({ sequence }) => sequence)).toEqual(range(1, 101));
  });

  it('ends the old reader when a new one opens, and gives it all that is not acked, in order', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream();
    using publisher = await streams.openPublisher(taskId);
    await publishMany(publisher, 100);
    await using old = await streams.openReader(taskId);
    await take(old, 60);
    old.ackThrough(20);
    await waitFor('20 are gone', async () => (await streams.info(taskId))?.messageCount === 80);
    await using fresh = await streams.openReader(taskId);
    await expect(
      (async () => {
        while (await old.next(10_000));
      })(),
    ).rejects.toBeInstanceOf(ReaderReplacedError);
    expect(await take(fresh, 80)).toEqual(range(20, 100));
  });

  it('lets exactly one of many readers win that open at once', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream();
    using publisher = await streams.openPublisher(taskId);
    await publishMany(publisher, 1);
    const opened = await Promise.allSettled(range(0, 4).map(() => streams.openReader(taskId)));
    const readers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(readers.length).toBeGreaterThan(0);
    expect((await bus.manager.consumers.list(streamName(taskId)).next()).length).toBe(1);
    await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
  });

  it('says that a stream is missing', async () => {
    const streams = changeStreams(bus);
    const taskId = await newStream();
    using publisher = await streams.openPublisher(taskId);
    await streams.delete(taskId);
    await streams.delete(taskId);
    expect(await streams.info(taskId)).toBeNull();
    await expect(publisher.publish(payload(0), {})).rejects.toBeInstanceOf(ChangeStreamMissingError);
    await expect(streams.openPublisher(taskId)).rejects.toBeInstanceOf(ChangeStreamMissingError);
    await expect(streams.openReader(taskId)).rejects.toBeInstanceOf(ChangeStreamMissingError);
  });
});

function streamName(taskId: string): string {
  return `SLUICE_CHANGES_${taskId.replaceAll('-', '')}`;
}

describe('change streams over a restart of the server', () => {
  it('ends publisher and reader, whose successors go on with what is stored', async () => {
    await using server = await dedicatedNats();
    await using bus = await specBus(server.url);
    const streams = changeStreams(bus);
    const taskId = randomUUID();
    await streams.ensure(taskId, { maxBytes: 64 * MEBIBYTE });
    using publisher = await streams.openPublisher(taskId);
    await publishMany(publisher, 10);
    await using reader = await streams.openReader(taskId);
    await take(reader, 10);
    await server.kill9();
    await expect(reader.next(10_000)).rejects.toBeInstanceOf(ReaderDisconnectedError);
    await expect(publisher.publish(payload(10), {})).rejects.toBeInstanceOf(PublishUncertainError);
    await server.restart();
    await waitFor('the bus is connected', () => bus.isConnected);
    using successor = await streams.openPublisher(taskId);
    expect(await successor.lastMessage()).toMatchObject({ sequence: 10 });
    await successor.publish(payload(10), {});
    await using again = await streams.openReader(taskId);
    expect(await take(again, 11)).toEqual(range(0, 11));
  });

  it('finds the stream missing when the server was wiped', async () => {
    await using server = await dedicatedNats();
    await using bus = await specBus(server.url);
    const streams = changeStreams(bus);
    const taskId = randomUUID();
    await streams.ensure(taskId, { maxBytes: 64 * MEBIBYTE });
    await server.restart({ wipe: true });
    await waitFor('the bus is connected', () => bus.isConnected);
    await expect(streams.openReader(taskId)).rejects.toBeInstanceOf(ChangeStreamMissingError);
    await streams.ensure(taskId, { maxBytes: 64 * MEBIBYTE });
    using publisher = await streams.openPublisher(taskId);
    expect(await publisher.publish(payload(0), {})).toEqual({ sequence: 1 });
  });
});
