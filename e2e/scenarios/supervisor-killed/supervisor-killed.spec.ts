import { expect, it } from '@jest/globals';
import { waitFor } from '@sluice/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildServices } from '../../src/build-services.js';

const SUPERVISOR = path.resolve(import.meta.dirname, '../../../tools/dist/start/supervisor.js');

it('leaves no service behind when the process that supervises them is killed', async () => {
  buildServices();
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-e2e-'));
  try {
    await writeFile(path.join(folder, 'service.mjs'), `setInterval(() => {}, 1000);`);
    const program = `
      import { Supervisor } from ${JSON.stringify(SUPERVISOR)};
      const supervisor = new Supervisor({ logDir: ${JSON.stringify(folder)}, onCrash: () => {} });
      supervisor.start({ name: 'service', entry: ${JSON.stringify(path.join(folder, 'service.mjs'))}, env: {} });
      console.log(supervisor.pidOf('service'));`;
    const supervising = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(supervising.stdout, 'data')) as [Buffer];
    const servicePid = Number(line.toString());
    expect(isAlive(servicePid)).toBe(true);
    supervising.kill('SIGKILL');
    await waitFor('the service to be gone', () => !isAlive(servicePid));
  } finally {
    await rm(folder, { recursive: true });
  }
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
