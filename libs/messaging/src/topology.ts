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
  SluiceError,
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
  await new Kvm(bus.connection).create(DESIRED_BUCKET, { history: 1, allow_direct: false, replicas: bus.replicas });
  await raiseReplicas(bus, `KV_${DESIRED_BUCKET}`);
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

/** Creates the stream, or changes it to this configuration. Returns the time of its creation. @throws SluiceError 7001 */
export async function ensureStream(bus: Bus, config: NamedStream): Promise<string> {
  const { replicas } = bus;
  try {
    return (await bus.manager.streams.add({ ...config, num_replicas: replicas })).created;
  } catch (error) {
    if (!hasJsError(error, JS_ERROR.streamNameInUse)) throw explainReplicas(error, config.name, replicas);
  }
  // Copies are added and never taken away: one service with an older configuration must not undo what others rely on.
  const { config: before, created } = await bus.manager.streams.info(config.name);
  const wanted = { ...config, num_replicas: Math.max(replicas, before.num_replicas) };
  // In a cluster an update is a vote of its servers, and nats-server 2.9 does not answer all that change nothing.
  if (holds(before, wanted)) return created;
  try {
    return (await bus.manager.streams.update(config.name, wanted)).created;
  } catch (error) {
    throw explainReplicas(error, config.name, wanted.num_replicas);
  }
}

function holds(present: StreamConfig, wanted: NamedStream): boolean {
  const settings = new Map<string, unknown>(Object.entries(present));
  return Object.entries(wanted).every(([name, value]) => JSON.stringify(settings.get(name)) === JSON.stringify(value));
}

async function raiseReplicas(bus: Bus, stream: string): Promise<void> {
  const { config } = await bus.manager.streams.info(stream);
  if (config.num_replicas >= bus.replicas) return;
  await bus.manager.streams.update(stream, { ...config, num_replicas: bus.replicas }).catch((error: unknown) => {
    throw explainReplicas(error, stream, bus.replicas);
  });
}

/** A bus with too few servers for the copies that are wanted says so in words that nobody connects with the cause. */
function explainReplicas(error: unknown, stream: string, replicas: number): unknown {
  const isMissingServers = hasJsError(
    error,
    JS_ERROR.noSuitablePeers,
    JS_ERROR.replicasNotSupported,
    JS_ERROR.insufficientResources,
  );
  if (replicas === 1 || !isMissingServers) return error;
  const detail = `stream ${stream} cannot have ${replicas} replicas: ${error instanceof Error ? error.message : ''}`;
  return new SluiceError('SLUICE-7001', {
    detail,
    remedy: 'Run nats-server as a cluster of at least as many servers as SLUICE_BUS_REPLICAS says, or lower it.',
    cause: error,
  });
}
