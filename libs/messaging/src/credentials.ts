import {
  CredentialsReply,
  type CredentialsRequest,
  credentialsRequests,
  EndpointInput,
  SluiceError,
  type TaskId,
} from '@sluice/contracts';
import { type Secret } from '@sluice/kernel';
import { z } from 'zod';
import { type Bus } from './bus.js';
import { request, serveRequests } from './request-reply.js';
import { createKeyPair, isMacValid, openSealed, parseBusKey, requestMac, sealText } from './sealed-reply.js';
import { type Listening } from './subscribe.js';

/** Both databases of a task with their passwords: keep it in memory only, as short as possible. */
export const TaskEndpoints = z.object({ source: EndpointInput, target: EndpointInput });
export type TaskEndpoints = z.infer<typeof TaskEndpoints>;

export interface ServeCredentialsOptions {
  readonly busKey: Secret;
  /** The endpoints of a task, or null when there is no such task. */
  readonly lookup: (taskId: TaskId) => Promise<TaskEndpoints | null>;
  readonly signal?: AbortSignal;
}

const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Asks task management for the endpoints of a task.
 * @throws SluiceError 7001 when nobody answers, 6002 when there is no such task, 6005 when the bus keys differ.
 */
export async function requestEndpoints(
  bus: Bus,
  taskId: TaskId,
  options: { readonly service: string; readonly busKey: Secret },
): Promise<TaskEndpoints> {
  const busKey = parseBusKey(options.busKey);
  // Made for this one request, so that a recorded answer can never be read later.
  const own = createKeyPair();
  const reply = await request(bus, credentialsRequests, {
    params: {},
    payload: {
      version: 1,
      taskId,
      service: options.service,
      publicKey: own.publicKey,
      mac: requestMac(busKey, taskId, own.publicKey).toString('base64'),
    },
    reply: CredentialsReply,
    timeoutMs: REQUEST_TIMEOUT_MS,
  });
  if (!reply.ok) {
    if (reply.error === 'unknown task') throw new SluiceError('SLUICE-6002', { detail: `task ${taskId}` });
    if (reply.error === 'unavailable')
      throw new SluiceError('SLUICE-7001', { detail: 'the credential vault could not answer' });
    throw keysDiffer();
  }
  let text: string;
  try {
    text = openSealed(reply, { busKey, taskId, own });
  } catch (error) {
    throw keysDiffer(error);
  }
  return TaskEndpoints.parse(JSON.parse(text));
}

/** Answers requests for credentials: sealed for the one who asks, refused without the bus key. */
export function serveCredentials(bus: Bus, { busKey, lookup, signal }: ServeCredentialsOptions): Listening {
  const key = parseBusKey(busKey);
  return serveRequests(bus, credentialsRequests, {
    handle: async (asked) => {
      const log = bus.log.child({ task_id: asked.taskId, asker: asked.service });
      if (!isMacValid(requestMac(key, asked.taskId, asked.publicKey), asked.mac)) {
        log.warn('request for credentials refused: wrong bus key');
        return refusal('refused');
      }
      try {
        const endpoints = await lookup(asked.taskId);
        if (!endpoints) return refusal('unknown task');
        log.info('credentials handed out');
        return sealedReply(asked, endpoints, key);
      } catch (error) {
        log.error({ err: error }, 'credentials could not be read');
        return refusal('unavailable');
      }
    },
    ...(signal && { signal }),
  });
}

function sealedReply(asked: CredentialsRequest, endpoints: TaskEndpoints, busKey: Buffer): CredentialsReply {
  const text = JSON.stringify(TaskEndpoints.parse(endpoints));
  return { version: 1, ok: true, ...sealText(text, { busKey, taskId: asked.taskId, recipient: asked.publicKey }) };
}

function refusal(error: string): CredentialsReply {
  return { version: 1, ok: false, error };
}

function keysDiffer(cause?: unknown): SluiceError {
  return new SluiceError('SLUICE-6005', {
    detail: 'the request for credentials was refused',
    remedy: 'Give every service the same SLUICE_BUS_KEY.',
    cause,
  });
}
