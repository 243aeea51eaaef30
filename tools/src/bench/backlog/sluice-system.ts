import { helperObjectName } from '@sluice/contracts';
import { type Endpoint } from '@sluice/postgres-client';
import { type BenchContext } from '../bench-case.js';
import { checkpointBoth, emptyDatabase, execute, restoreDatabase, untilNoSessions } from '../bench-servers.js';
import { requireEqual } from '../equality.js';
import { type System } from '../measurement.js';
import { copySlot, DATABASE, restoreSlot, untilMarked, untilUnused } from './backlog.js';

export interface SluiceReplicaOptions {
  /** The system's name in the results. */
  readonly name: string;
  /** The target's database. */
  readonly database: string;
  /** How services reach it; default: directly over TCP, like every peer. */
  readonly targetAt?: Pick<Endpoint, 'host' | 'port'>;
}

/** A task that is paused in front of the backlog. */
export interface SluiceReplica extends SluiceReplicaOptions {
  readonly taskId: string;
  readonly slotName: string;
  /** Keeps the slot's position in front of the backlog. */
  readonly savedSlot: string;
  /** The target's database as it was there, with our bookkeeping. */
  readonly template: string;
}

/** Loads the base into the target and pauses. To be called before the backlog is written. */
export async function attachSluice(context: BenchContext, options: SluiceReplicaOptions): Promise<SluiceReplica> {
  const { sluice, servers } = context;
  const { source, target } = servers;
  const { database, targetAt } = options;
  await emptyDatabase(target, database);
  const taskId = await sluice.createTask(database.replaceAll('_', '-'), {
    source: source.endpoint(DATABASE),
    target: { ...target.endpoint(database), ...targetAt },
  });
  await sluice.act(taskId, 'start', 'incremental');
  await sluice.act(taskId, 'pause', 'paused');
  const slotName = helperObjectName(taskId);
  await untilUnused(source, slotName);
  await untilNoSessions(target, database);
  const template = `base_${database}`;
  await restoreDatabase(target, template, database);
  const savedSlot = `saved_${database}`;
  await copySlot(source, slotName, savedSlot);
  return { ...options, taskId, slotName, savedSlot, template };
}

/** The loaded base without our bookkeeping, for systems that cannot load it themselves. */
export async function plainTemplate({ servers }: BenchContext, replica: SluiceReplica): Promise<string> {
  const template = 'base_plain';
  await restoreDatabase(servers.target, template, replica.template);
  await execute(servers.target, template, 'DROP SCHEMA sluice CASCADE');
  return template;
}

export function sluiceSystem({ sluice, servers }: BenchContext, replica: SluiceReplica): System {
  const { source, target } = servers;
  const { taskId, slotName, database } = replica;
  const pause = async (): Promise<void> => {
    const { state } = await sluice.api.getTask(taskId);
    if (state !== 'paused') await sluice.act(taskId, 'pause', 'paused');
    await untilUnused(source, slotName);
  };
  return {
    name: replica.name,
    prepare: async () => {
      await pause();
      await restoreDatabase(target, database, replica.template);
      await restoreSlot(source, slotName, replica.savedSlot);
      await checkpointBoth(servers);
    },
    run: async () => {
      await sluice.api.act(taskId, 'resume');
      await untilMarked(target, database, async () => {
        const { state, error } = await sluice.api.getTask(taskId);
        if (state.endsWith('_failed')) throw new Error(`task is ${state}: ${error?.detail ?? ''}`);
      });
    },
    verify: async () => {
      await requireEqual({ server: source, database: DATABASE }, { server: target, database });
      // It must not work beside the others, not even on nothing.
      await pause();
    },
  };
}
