import { createSource, writeBacklog } from '../backlog/backlog.js';
import { nativeSystem } from '../backlog/native-system.js';
import { pglogicalSystem } from '../backlog/pglogical-system.js';
import { readerSystem } from '../backlog/reader-system.js';
import { attachSluice, plainTemplate, sluiceSystem } from '../backlog/sluice-system.js';
import { type Workload } from '../backlog/workload.js';
import { type BenchContext } from '../bench-case.js';
import { type System } from '../measurement.js';

export interface BacklogPeers {
  readonly pglogical?: boolean;
  /** Native replication also with transactions in progress streamed, which is off by default. */
  readonly nativeStreaming?: boolean;
}

/** A backlog waits in the slot: sluice, its peers, and a reader that throws the bytes away. */
export async function backlogSystems(
  context: BenchContext,
  workload: Workload,
  peers: BacklogPeers,
): Promise<System[]> {
  const { servers, report } = context;
  report('making the base');
  await createSource(servers.source, workload);
  const replica = await attachSluice(context, { name: 'sluice', database: 'bench_sluice' });
  const template = await plainTemplate(context, replica);
  report(`making the backlog: ${workload.description}`);
  const endLsn = await writeBacklog(servers.source, workload);
  const { savedSlot } = replica;
  const native = { template, savedSlot };
  return [
    sluiceSystem(context, replica),
    nativeSystem(context, { name: 'native', ...native }),
    ...(peers.nativeStreaming
      ? [nativeSystem(context, { name: 'native, streaming', ...native, streaming: true })]
      : []),
    ...(peers.pglogical ? [await pglogicalSystem(context, workload)] : []),
    readerSystem(context, { savedSlot, endLsn }),
  ];
}
