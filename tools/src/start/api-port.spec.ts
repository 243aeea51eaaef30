import { expect, it } from '@jest/globals';
import { freePort } from '@sluice/embedded';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { chooseApiPort } from './api-port.js';

it('takes the port that was asked for, or says that it is taken', async () => {
  const port = await freePort();
  await expect(chooseApiPort(port)).resolves.toEqual({ port, isSubstitute: false });
  const other = createServer().listen(port);
  await once(other, 'listening');
  await expect(chooseApiPort(port)).rejects.toMatchObject({ code: 'SLUICE-8003' });
  other.close();
});
