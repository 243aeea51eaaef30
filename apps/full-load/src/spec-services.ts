import { type Stage, type StageRun } from '@sluice/contracts';
import { type Bus, consumeRuns, type RunContext } from '@sluice/messaging';
import { type RuntimeContext } from '@sluice/service-runtime';
import { type Logger } from '@sluice/telemetry';
import { FullLoadConfig, SnapshotHolderConfig } from './full-load.config.js';
import { FullLoadHandler } from './full-load.handler.js';
import { SnapshotHandler } from './snapshot.handler.js';
import { WorkItemHandler } from './work-item.handler.js';

export interface SpecServices {
  readonly bus: Bus;
  readonly log: Logger;
  /** SLUICE_BUS_KEY and whatever else is not the default. */
  readonly environment: Readonly<Record<string, string>>;
  /** Default: both. */
  readonly parts?: readonly ('workers' | 'holder')[];
}

/** Starts the services of a full load in this process. @returns what stops them. */
export function startLoadServices({
  bus,
  log,
  environment,
  parts = ['workers', 'holder'],
}: SpecServices): () => Promise<void> {
  const stop = new AbortController();
  const closers: (() => Promise<void>)[] = [];
  const runtime = <C>(service: string, config: C): RuntimeContext<C> => ({
    service,
    worker: `${service}-spec`,
    config,
    log,
    bus,
    signal: stop.signal,
    addHealthCheck: () => undefined,
    addGauges: () => undefined,
    onShutdown: (close) => void closers.push(close),
  });
  const config = FullLoadConfig.parse(environment);
  const loads = new FullLoadHandler(runtime('full-load', config));
  const items = new WorkItemHandler(runtime('full-load', config));
  const snapshots = new SnapshotHandler(runtime('snapshot-holder', SnapshotHolderConfig.parse(environment)));
  const consume = <S extends Stage>(
    stage: S,
    handle: (run: Extract<StageRun, { stage: S }>, context: RunContext) => Promise<void>,
  ): Promise<void> => consumeRuns(bus, { stage, concurrency: 2, handle, signal: stop.signal, log });
  const workers = (): Promise<void>[] => [
    consume('full-load', (run, context) => loads.load(run, context)),
    consume('finish-load', (run, context) => loads.finish(run, context)),
    consume('cleanup', (run, context) => loads.cleanUp(run, context)),
    consume('copy', (run, context) => items.copy(run, context)),
    consume('build', (run, context) => items.build(run, context)),
  ];
  const holder = (): Promise<void>[] => [consume('snapshot', (run, context) => snapshots.hold(run, context))];
  const loops = parts.flatMap((part) => ({ workers, holder })[part]());
  return async () => {
    stop.abort();
    await Promise.all(loops);
    for (const close of closers.splice(0)) await close();
  };
}
