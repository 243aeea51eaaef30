import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { randomUUID } from 'node:crypto';
import {
  type AppliedMessage,
  appliedMessages,
  type CredentialsRequest,
  credentialsRequests,
  type StageRunOf,
  type TaskEvent,
  taskEvents,
} from '@sluice/contracts';
import { testNats, waitFor } from '@sluice/testing';
import { z } from 'zod';
import { type Bus } from './bus.js';
import { type EventContext } from './events.js';
import { OnEvent, OnMessage, OnRequest, OnRun } from './handler-decorators.js';
import { JetStreamStrategy } from './jetstream-strategy.js';
import { publish, publishRun } from './publish.js';
import { request } from './request-reply.js';
import { type RunContext } from './runs.js';
import { specBus, specRun } from './spec-builders.js';

jest.setTimeout(60_000);

const seen: string[] = [];

@Controller()
class SpecHandler {
  @OnRun('precheck')
  async run(@Payload() run: StageRunOf<'precheck'>, @Ctx() context: RunContext): Promise<void> {
    seen.push(`run ${run.task.name}${context.redelivered ? ' again' : ''}`);
    context.nakDelay(10);
    if (!context.redelivered) throw new Error('first time fails');
  }

  @OnEvent(taskEvents, 'strategy-spec')
  async event(@Payload() event: TaskEvent, @Ctx() context: EventContext): Promise<void> {
    seen.push(`event ${event.to}${context.redelivered ? ' again' : ''}`);
    if (!context.redelivered) throw new Error('first time fails');
  }

  @OnRequest(credentialsRequests)
  async request(@Payload() asked: CredentialsRequest): Promise<{ hello: string }> {
    return { hello: asked.service };
  }

  @OnMessage(appliedMessages)
  async message(@Payload() message: AppliedMessage): Promise<void> {
    seen.push(`applied ${message.durableLsn}`);
  }
}

@Module({ controllers: [SpecHandler] })
class SpecModule {}

describe('JetStreamStrategy', () => {
  let bus: Bus;
  let app: INestMicroservice;
  beforeAll(async () => {
    bus = await specBus((await testNats()).url);
    app = await NestFactory.createMicroservice(SpecModule, { strategy: new JetStreamStrategy(bus), logger: false });
    await app.listen();
  });
  afterAll(async () => {
    await app.close();
    await bus.close();
  });

  it('hands runs and events to their handlers, and again when these reject', async () => {
    const taskId = randomUUID();
    await publishRun(bus, specRun('precheck'));
    await publish(bus, taskEvents, {
      params: { taskId },
      payload: {
        version: 1,
        eventId: randomUUID(),
        taskId,
        taskName: 'spec',
        from: null,
        to: 'starting',
        error: null,
        at: new Date().toISOString(),
      },
      durable: true,
    });
    await waitFor('all deliveries', () => seen.length === 4);
    expect(seen.splice(0).toSorted()).toEqual([
      'event starting',
      'event starting again',
      'run spec-task',
      'run spec-task again',
    ]);
  });

  it('answers requests and hears messages', async () => {
    const taskId = randomUUID();
    const answer = await request(bus, credentialsRequests, {
      params: {},
      payload: { version: 1, taskId, service: 'spec', publicKey: '', mac: '' },
      reply: z.object({ hello: z.string() }),
      timeoutMs: 5_000,
    });
    expect(answer).toEqual({ hello: 'spec' });
    const payload = { version: 1 as const, taskId, durableLsn: '0/10' };
    await publish(bus, appliedMessages, { params: { taskId }, payload, durable: false });
    await waitFor('the message', () => seen.length === 1);
    expect(seen).toEqual(['applied 0/10']);
  });
});
