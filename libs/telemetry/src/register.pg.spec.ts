import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import { testDatabase } from '@sluice/testing';

jest.setTimeout(60_000);

const ROOT = path.resolve(import.meta.dirname, '../../..');

/** What a service does: a span of its own around a query with a value. */
const SCRIPT = `
  import pg from 'pg';
  import { flushSpans, withSpan } from '@sluice/telemetry';
  const client = new pg.Client({ connectionString: process.argv[1] });
  await client.connect();
  await withSpan('outer', {}, () => client.query('SELECT $1::text AS answer', ['a-row-value']));
  await client.end();
  await flushSpans();
  process.exit(0);
`;

async function run(command: readonly string[], environment: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, command, {
    cwd: path.join(ROOT, 'libs/telemetry'),
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
}

/** Takes what exporters send. */
async function collector(): Promise<AsyncDisposable & { readonly url: string; readonly received: string[] }> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') received.push(Buffer.concat(chunks).toString('latin1'));
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, received, [Symbol.asyncDispose]: close };
}

describe('register', () => {
  beforeAll(() =>
    run(
      [
        path.join(ROOT, 'tools/build/build.mjs'),
        ...['kernel', 'telemetry'].map((name) => path.join(ROOT, 'libs', name)),
      ],
      {},
    ),
  );

  const program = (url: string): string[] => [
    '--import',
    '@sluice/telemetry/register',
    '--input-type=module',
    '-e',
    SCRIPT,
    url,
  ];

  it('exports spans of the service and of its statements, without values', async () => {
    await using database = await testDatabase();
    await using sink = await collector();
    await run(program(database.url), { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_SERVICE_NAME: 'spec-service' });
    const sent = sink.received.join();
    for (const part of ['spec-service', 'outer', 'pg.query:SELECT']) expect(sent).toContain(part);
    expect(sent).not.toContain('a-row-value');
  });

  it('sends nothing when nobody asked for traces', async () => {
    await using database = await testDatabase();
    await using sink = await collector();
    await run(program(database.url), {});
    expect(sink.received).toEqual([]);
  });
});
