import { describe, expect, it, jest } from '@jest/globals';
import { type Alarm, alarmRecords, type TaskEvent, taskEvents } from '@sluice/contracts';
import { connectBus, JetStreamStrategy, publish, serveRequests } from '@sluice/messaging';
import { BUS, LOGGER } from '@sluice/service-runtime';
import { createLogger } from '@sluice/telemetry';
import { testNats, waitFor } from '@sluice/testing';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { randomUUID } from 'node:crypto';
import { NotificationModule } from './notification.module.js';

jest.setTimeout(60_000);

function change(from: string, to: string): TaskEvent {
  const ids = { eventId: randomUUID(), taskId: randomUUID() };
  return { version: 1, ...ids, taskName: 'shop-move', from, to, error: null, at: '2026-01-01T00:00:00.000Z' };
}

describe('notification', () => {
  it('records each alarm once, also when the event comes twice and the first answer is lost', async () => {
    const log = createLogger({ service: 'notification', level: 'silent' });
    await using bus = await connectBus({ servers: (await testNats()).url, name: 'notification-test', log });
    await bus.ensureTopology();
    const asked: string[] = [];
    const stored = new Map<string, Alarm>();
    // In the place of task management: the first answer is lost after the alarm was stored.
    using _vault = serveRequests(bus, alarmRecords, {
      handle: async ({ alarm }) => {
        asked.push(alarm.eventId);
        const isNew = !stored.has(alarm.eventId);
        stored.set(alarm.eventId, alarm);
        if (asked.length === 1) throw new Error('stopped before the answer');
        return { version: 1, isNew };
      },
    });
    const strategy = new JetStreamStrategy(bus);
    const app = await NestFactory.createMicroservice(rootModule(bus, log), { strategy, logger: false });
    await app.listen();

    const [failed, ended, paused] = [
      change('incremental', 'incremental_failed'),
      change('ending', 'ended'),
      change('incremental', 'paused'),
    ];
    for (const event of [failed, paused, ended]) {
      const params = { taskId: event.taskId };
      await publish(bus, taskEvents, { params, payload: event, durable: true, msgId: randomUUID() });
      await publish(bus, taskEvents, { params, payload: event, durable: true, msgId: randomUUID() });
    }
    await waitFor('both events, twice, and the one whose answer was lost', () => asked.length >= 5);
    await strategy.close();
    await app.close();
    expect([...stored.values()].map(({ kind }) => kind).sort()).toEqual(['abnormal', 'ended']);
  });
});

function rootModule(bus: unknown, log: unknown): DynamicModule {
  @Module({})
  class Runtime {}
  @Module({})
  class Root {}
  const providers = [
    { provide: BUS, useValue: bus },
    { provide: LOGGER, useValue: log },
  ];
  const runtime = { module: Runtime, global: true, providers, exports: [BUS, LOGGER] };
  return { module: Root, imports: [runtime, NotificationModule] };
}
