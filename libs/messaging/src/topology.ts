import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { nanos } from '@nats-io/nats-core';
import {
  DESIRED_BUCKET,
  EVENTS_STREAM,
  RUN_ACK_WAIT_MS,
  RUNS_STREAM,
  type Stage,
  stageRuns,
  STAGES,
} from '@sluice/contracts';
import { type Bus } from './bus.js';
import { hasJsError, JS_ERROR } from './bus-error.js';

/** Every waiting slot of every worker is one pull request at its stage's consumer. */
const PULLS_WAITING_MAX = 4_096;
/** More than any installation has running at once; runs are not handed out beyond it. */
const RUNS_PENDING_MAX = 20_000;

/** Covers the attempts of one publish. Longer, and a run that was taken and lost could not be given out again. */
const RUN_DUPLICATE_WINDOW_MS = 20_000;

type NamedStream = Partial<StreamConfig> & { readonly name: string };

/** Makes everything that is not there; safe against others who do the same. Returns when the runs stream was created. */
export async function createTopology(bus: Bus): Promise<string> {
  const created = await ensureStream(bus, {
    name: RUNS_STREAM.name,
    subjects: [...RUNS_STREAM.subjects],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    // A run must never push out another one.
    discard: DiscardPolicy.New,
    max_bytes: RUNS_STREAM.maxBytes,
    duplicate_window: nanos(RUN_DUPLICATE_WINDOW_MS),
  });
  await ensureStream(bus, {
    name: EVENTS_STREAM.name,
    subjects: [...EVENTS_STREAM.subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_bytes: EVENTS_STREAM.maxBytes,
    max_age: nanos(EVENTS_STREAM.maxAgeMs),
  });
  // Reads must see the newest order, so they go to the stream's leader.
  await new Kvm(bus.connection).create(DESIRED_BUCKET, { history: 1, allow_direct: false });
  for (const stage of STAGES) await ensureRunConsumer(bus, stage);
  return created;
}

/** Name of the durable consumer that hands out the runs of a stage. */
export function runConsumerName(stage: Stage): string {
  return stage;
}

async function ensureRunConsumer(bus: Bus, stage: Stage): Promise<void> {
  await bus.manager.consumers.add(RUNS_STREAM.name, {
    durable_name: runConsumerName(stage),
    filter_subject: stageRuns.format({ stage, taskId: '*' }),
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(RUN_ACK_WAIT_MS),
    deliver_policy: DeliverPolicy.All,
    max_deliver: -1,
    max_ack_pending: RUNS_PENDING_MAX,
    max_waiting: PULLS_WAITING_MAX,
  });
}

/** Creates the stream, or changes it to this configuration. Returns the time of its creation. */
export async function ensureStream(bus: Bus, config: NamedStream): Promise<string> {
  try {
    return (await bus.manager.streams.add(config)).created;
  } catch (error) {
    if (!hasJsError(error, JS_ERROR.streamNameInUse)) throw error;
    return (await bus.manager.streams.update(config.name, config)).created;
  }
}
