import { randomUUID } from 'node:crypto';
import { type StageRun, stageRuns, type Subject } from '@sluice/contracts';
import { backoffDelayMs, delay } from '@sluice/kernel';
import { type z } from 'zod';
import { type Bus } from './bus.js';
import { busUnavailable, invalidMessage, isNoResponders } from './bus-error.js';
import { tracedHeaders } from './trace-headers.js';

export interface PublishOptions<Params, Payload> {
  readonly params: Params;
  readonly payload: Payload;
  /** True: stored by JetStream when the promise resolves. False: sent to whoever listens now. */
  readonly durable: boolean;
  /** A second durable message with the same id is not stored: runs within 20 s, events within two minutes. Random when absent. */
  readonly msgId?: string;
}

const PUBLISH_ATTEMPTS_MAX = 4;
const PUBLISH_TIMEOUT_MS = 3_000;
const PUBLISH_BACKOFF = { baseMs: 100, capMs: 1_000 };

/**
 * Publishes a message that fits its subject's schema.
 * @throws SluiceError 7001 when it could not be stored; 7002 when it does not fit.
 */
export async function publish<Params, Schema extends z.ZodType>(
  bus: Bus,
  subject: Subject<Params, Schema>,
  { params, payload, durable, msgId }: PublishOptions<Params, z.input<Schema>>,
): Promise<void> {
  const name = subject.format(params);
  const parsed = subject.payload.safeParse(payload);
  if (!parsed.success) throw invalidMessage(name, parsed.error.message);
  const data = JSON.stringify(parsed.data);
  if (durable) await publishDurably(bus, name, { data, msgId: msgId ?? randomUUID() });
  else bus.connection.publish(name, data, { headers: tracedHeaders() });
}

/** Gives a run to the workers of its stage. `msgId` is the run's id unless several items share it. */
export function publishRun(bus: Bus, run: StageRun, options: { readonly msgId?: string } = {}): Promise<void> {
  return publish(bus, stageRuns, {
    params: { stage: run.stage, taskId: run.task.taskId },
    payload: run,
    durable: true,
    msgId: options.msgId ?? run.runId,
  });
}

async function publishDurably(bus: Bus, subject: string, message: { data: string; msgId: string }): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      // What is sent into a broken connection is lost with it.
      await bus.whenReady(PUBLISH_TIMEOUT_MS);
      // The id is the same in every attempt, so that one that did arrive is not stored twice.
      const options = { msgID: message.msgId, headers: tracedHeaders(), timeout: PUBLISH_TIMEOUT_MS };
      await bus.whileConnected(bus.jetstream.publish(subject, message.data, options));
      return;
    } catch (error) {
      if (attempt + 1 >= PUBLISH_ATTEMPTS_MAX || bus.connection.isClosed())
        throw busUnavailable(`publish to ${subject}`, error);
      if (isNoResponders(error)) await bus.ensureTopology().catch(() => undefined);
      await delay(backoffDelayMs(attempt, PUBLISH_BACKOFF));
    }
  }
}
