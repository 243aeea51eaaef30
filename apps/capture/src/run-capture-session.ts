import { SluiceError, STORED_REPLICAS_MIN, type TaskId } from '@sluice/contracts';
import { type Bus, changeStreams } from '@sluice/messaging';
import { openWalStream } from '@sluice/postgres-replication';
import { prepareSource } from './capture-source.js';
import { CaptureSession, type CaptureSessionOptions, type SessionEnd } from './capture-session.js';
import { SessionCells } from './cell-form.js';
import { chooseStartLsn } from './session-start.js';
import { SourceClock } from './source-clock.js';
import { SourceWatch } from './source-watch.js';

/** pgoutput hands logical messages on, and streams transactions that still run. */
const PROTOCOL_2_SINCE = 140_000;

/**
 * Reads the slot into the change stream, from its start until it ends or fails.
 * @throws SluiceError what broke; the next session goes on from what the bus and the slot hold.
 */
export async function runCaptureSession(options: CaptureSessionOptions): Promise<SessionEnd> {
  const { task, bus, config, signal } = options;
  const { taskId } = task;
  const ending = new AbortController();
  const sessionSignal = AbortSignal.any([signal, ending.signal]);
  const clock = new SourceClock();
  const watch = new SourceWatch(options.source, task, clock);
  const source = await prepareSource(options.source, task, { watch, signal });
  const streams = changeStreams(bus);
  await streams.ensure(taskId, { maxBytes: config.SLUICE_CHANGES_MAX_BYTES });
  if (task.incremental.confirm === 'stored') await requireReplicas(bus, taskId);
  // Opened before the tail is read: whoever writes in between makes our first publish fail instead of being overlooked.
  using publisher = await streams.openPublisher(taskId, { signal: sessionSignal });
  const tail = await publisher.lastMessage();
  const startLsn = chooseStartLsn({ from: options.from, tailHeaders: tail?.headers ?? null, ...source });
  const cells = await SessionCells.choose(options.source, task, options.cellForm ?? 'any');
  await using stream = await openWalStream(options.source, {
    slotName: task.slotName,
    publicationName: task.publicationName,
    startLsn,
    binary: cells.isBinary,
    // Before that DDL comes as rows of a published table.
    messages: task.incremental.ddl.enabled && source.versionNum >= PROTOCOL_2_SINCE,
    streaming: isStreaming(options, source.versionNum),
    applicationName: `capture ${taskId}`,
    signal: sessionSignal,
    statusIntervalMs: config.SLUICE_CAPTURE_STATUS_INTERVAL_MS,
  });
  const parts = { publisher, stream, cells, watch, clock, startLsn, prepared: source, signal: sessionSignal };
  try {
    return await new CaptureSession(options, parts).run();
  } finally {
    ending.abort();
  }
}

/**
 * Running transactions go to connections of their own on the target. With `stored` the source forgets what is on the bus,
 * where what such a connection has taken does not stay.
 */
function isStreaming({ task, wholeForMs = null }: CaptureSessionOptions, versionNum: number): boolean {
  const { confirm, connectionsMax } = task.incremental;
  return wholeForMs === null && connectionsMax > 1 && confirm === 'applied' && versionNum >= PROTOCOL_2_SINCE;
}

/** What the source was told to forget is on the bus alone; one lost disk must not be enough to lose it. */
async function requireReplicas(bus: Bus, taskId: TaskId): Promise<void> {
  const replicas = (await changeStreams(bus).info(taskId))?.replicas ?? 0;
  if (replicas >= STORED_REPLICAS_MIN) return;
  throw new SluiceError('SLUICE-4007', { detail: `the change stream has ${replicas} replicas` });
}
