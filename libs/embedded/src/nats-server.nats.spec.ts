import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { attachNats, startNats } from './index.js';

const storeDir = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'sluice-spec-'));

describe('startNats', () => {
  it('listens on a free port and leaves nothing behind', async () => {
    const server = await startNats({ storeDir: await storeDir(), temporary: true });
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    const { pid } = server;
    await server[Symbol.asyncDispose]();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(server.storeDir)).toBe(false);
  });

  it('names a port that is taken', async () => {
    await using first = await startNats({ storeDir: await storeDir(), temporary: true });
    const second = startNats({ storeDir: await storeDir(), temporary: true, port: first.port });
    await expect(second).rejects.toMatchObject({ failure: 'port-taken' });
  });

  it('is controlled by facts alone, which follow a restart', async () => {
    const server = await startNats({ storeDir: await storeDir(), temporary: true });
    const attached = attachNats(server.facts);
    await server.kill9();
    expect(attached.isRunning()).toBe(false);
    await server.restart();
    expect(attached.pid).toBe(server.pid);
    await attached[Symbol.asyncDispose]();
    expect(server.isRunning()).toBe(false);
  });
});
