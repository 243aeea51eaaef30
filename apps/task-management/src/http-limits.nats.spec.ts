import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { testDatabase, type TestDatabase, testNats } from '@sluice/testing';
import { taskRequest, testClient } from './test-client.js';
import { ADMIN_KEY, startTestService, type TestService } from './test-service.js';

jest.setTimeout(60_000);

/** One request a minute comes back, so that the test is over long before. */
const RATE = { perSecond: 1 / 60, burst: 12 };

let database: TestDatabase;
let service: TestService;

beforeAll(async () => {
  database = await testDatabase();
  service = await startTestService({ databaseUrl: database.url, natsUrl: (await testNats()).url, rate: RATE });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

describe('answers', () => {
  it('carry the security headers, whatever they answer', async () => {
    const call = testClient(service.url, ADMIN_KEY);
    const answers = [
      await call('GET', '/tasks'),
      await call('GET', '/nothing'),
      await call('GET', '/openapi.json'),
      await testClient(service.url, 'wrong')('GET', '/tasks'),
      await call('POST', '/tasks', { body: taskRequest('too-large', { description: 'x'.repeat(2_200_000) }) }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 401, 413]);
    for (const { headers } of answers) {
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('to a live reader carry them, too', async () => {
    const abort = new AbortController();
    const response = await fetch(`${service.url}/api/v1/tasks/events`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
      signal: abort.signal,
    });
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    abort.abort();
  });
});

describe('a key that asks too often', () => {
  it('is told what is left, then to wait, while other keys go on', async () => {
    const admin = testClient(service.url, ADMIN_KEY);
    const { body } = await admin('POST', '/api-keys', { body: { name: 'eager', scope: { kind: 'deployment' } } });
    const eager = testClient(service.url, String(body['secret']));
    const answers = await Promise.all(Array.from({ length: RATE.burst + 3 }, () => eager('GET', '/tasks')));
    const byStatus = (status: number) => answers.filter((one) => one.status === status);
    expect([byStatus(200).length, byStatus(429).length]).toEqual([RATE.burst, 3]);
    const left = byStatus(200).map(({ headers }) => Number(headers.get('ratelimit-remaining')));
    expect(left.toSorted((a, b) => a - b)).toEqual(Array.from({ length: RATE.burst }, (_, index) => index));
    for (const { headers, body: problem } of byStatus(429)) {
      expect(problem['code']).toBe('SLUICE-6014');
      expect(headers.get('ratelimit-limit')).toBe(String(RATE.burst));
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
    }
    expect((await admin('GET', '/tasks')).status).toBe(200);
  });
});
