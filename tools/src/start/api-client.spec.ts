import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { ApiClient } from './api-client.js';

const PROBLEM = {
  type: 'about:blank',
  title: 'No',
  status: 409,
  code: 'SLUICE-6003',
  detail: 'it has ended',
  remedy: 'r',
};

let server: Server;
let requests: string[];

beforeEach(() => {
  requests = [];
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function clientOf(answer: (attempt: number) => RequestListener): Promise<ApiClient> {
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    answer(requests.length)(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return new ApiClient(`http://127.0.0.1:${port}`, 'key', new AbortController().signal);
}

const refuse: RequestListener = (_, response) => void response.writeHead(409).end(JSON.stringify(PROBLEM));
const hangUp: RequestListener = (request) => void request.socket.destroy();

describe('the API client', () => {
  it('tells why an action was refused', async () => {
    const client = await clientOf(() => refuse);
    const refusal = { code: 'SLUICE-6003', detail: expect.stringContaining('it has ended'), remedy: 'r' };
    await expect(client.act('1', 'end')).rejects.toMatchObject(refusal);
    expect(requests).toEqual(['POST /api/v1/tasks/1/end Bearer key']);
  });

  it('takes a refusal for success when the first answer to the same order was lost', async () => {
    const client = await clientOf((attempt) => (attempt === 1 ? hangUp : refuse));
    await client.act('1', 'end');
    expect(requests).toHaveLength(2);
  });
});
