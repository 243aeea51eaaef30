import { SluiceError } from '@sluice/contracts';
import { freePort } from '@sluice/embedded';
import { createServer } from 'node:net';

export const API_PORT_DEFAULT = 8080;

export interface ApiPort {
  readonly port: number;
  /** The default was taken by another process. */
  readonly isSubstitute: boolean;
}

/** @param wanted `null` when nobody asked for a certain port. @throws SluiceError 8003 when the wanted one is taken. */
export async function chooseApiPort(wanted: number | null): Promise<ApiPort> {
  const port = wanted ?? API_PORT_DEFAULT;
  const obstacle = await whyNotFree(port);
  if (obstacle === null) return { port, isSubstitute: false };
  if (wanted === null) return { port: await freePort(), isSubstitute: true };
  throw new SluiceError('SLUICE-8003', { detail: `the API cannot listen on port ${port} (${obstacle})` });
}

function whyNotFree(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    // The address that the service listens on; a listener on all addresses is in the way too.
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(null)));
  });
}
