import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineQuestion, QuestionReply, SluiceError } from '@sluice/contracts';
import { testNats } from '@sluice/testing';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Bus } from './bus.js';
import { answer, ask } from './questions.js';
import { request, serveRequests } from './request-reply.js';
import { specBus } from './spec-builders.js';

const question = (deadlineMs = 5_000) =>
  defineQuestion({
    name: `spec-${randomUUID()}`,
    asked: z.object({ count: z.number().int() }),
    answer: z.object({ doubled: z.string() }),
    deadlineMs,
    answeredBy: 'spec-service',
  });
type SpecQuestion = ReturnType<typeof question>;

describe('questions', () => {
  const taskId = randomUUID();
  let bus: Bus;
  beforeAll(async () => {
    bus = await specBus((await testNats()).url);
  });
  afterAll(() => bus.close());

  const serve = (asked: SpecQuestion, work: (count: number, signal: AbortSignal) => Promise<{ doubled: string }>) =>
    serveRequests(bus, asked, {
      handle: (message) => answer(asked, { message, work: ({ count }, signal) => work(count, signal), log: bus.log }),
    });

  it('brings the answer', async () => {
    const asked = question();
    using _listening = serve(asked, async (count) => ({ doubled: String(count * 2) }));
    expect(await ask(bus, asked, { taskId, asked: { count: 21 } })).toEqual({ doubled: '42' });
  });

  it('brings the catalogued error of the worker, and of others no text', async () => {
    const asked = question();
    const errors = [
      new SluiceError('SLUICE-1007', { detail: 'no such database', remedy: 'Create it.', evidence: { database: 'x' } }),
      new Error('with a secret in it'),
    ];
    using _listening = serve(asked, (count) => Promise.reject(errors[count] ?? new Error('other')));
    await expect(ask(bus, asked, { taskId, asked: { count: 0 } })).rejects.toMatchObject({
      code: 'SLUICE-1007',
      detail: 'no such database',
      remedy: 'Create it.',
      evidence: { database: 'x' },
    });
    const other = ask(bus, asked, { taskId, asked: { count: 1 } });
    await expect(other).rejects.toMatchObject({ code: 'SLUICE-9001', detail: 'Error' });
  });

  it('ends the work at its deadline and says so', async () => {
    const asked = question(50);
    let reason: unknown;
    using _listening = serve(asked, (_, signal) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return new Promise(() => undefined);
    });
    await expect(ask(bus, asked, { taskId, asked: { count: 1 } })).rejects.toMatchObject({
      code: 'SLUICE-7003',
      detail: expect.stringContaining('not within 50 ms'),
    });
    expect(reason).toMatchObject({ code: 'SLUICE-7003' });
  });

  it('names the service that does not run', async () => {
    await expect(ask(bus, question(), { taskId, asked: { count: 1 } })).rejects.toMatchObject({
      code: 'SLUICE-7003',
      detail: expect.stringMatching(/spec-service answers: no process of it listens/),
    });
  });

  it('refuses an answer that no message can hold, and one of another version', async () => {
    const asked = question();
    using _listening = serve(asked, async (count) => ({ doubled: 'x'.repeat(count) }));
    await expect(ask(bus, asked, { taskId, asked: { count: 1_000_000 } })).rejects.toMatchObject({
      code: 'SLUICE-7004',
    });
    const other = question();
    using _other = serveRequests(bus, other, {
      handle: async () => ({ version: 1, ok: true, answer: { tripled: 1 } }),
    });
    await expect(ask(bus, other, { taskId, asked: { count: 1 } })).rejects.toMatchObject({ code: 'SLUICE-7002' });
  });

  it('answers every question in the one form that is documented', async () => {
    const asked = question();
    using _listening = serve(asked, async (count) => ({ doubled: String(count) }));
    const payload = { version: 1 as const, taskId, asked: { count: 1 } };
    const reply = await request(bus, asked, { params: {}, payload, reply: QuestionReply, timeoutMs: 5_000 });
    expect(reply).toEqual({ version: 1, ok: true, answer: { doubled: '1' } });
  });
});
