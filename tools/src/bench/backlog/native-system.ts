import { quoteLiteral } from '@sluice/postgres-client';
import { type BenchContext } from '../bench-case.js';
import { checkpointBoth, conninfo, execute, restoreDatabase } from '../bench-servers.js';
import { requireEqual } from '../equality.js';
import { type System } from '../measurement.js';
import { DATABASE, dropUnusedSlot, PUBLICATION, restoreSlot, untilMarked } from './backlog.js';

const TARGET = 'bench_native';
const SLOT = 'native_slot';
const SUBSCRIPTION = 'bench_subscription';

export interface NativeOptions {
  readonly name: string;
  /** What the target is before the backlog. */
  readonly template: string;
  /** Where the slot stands in front of it. */
  readonly savedSlot: string;
  /** How the subscriber reaches the source; default: directly over TCP. */
  readonly sourceAt?: { readonly host: string; readonly port: number };
  /** Receives transactions that are not committed yet; off unless asked for, as in PostgreSQL itself. */
  readonly streaming?: boolean;
}

export function nativeSystem({ servers }: BenchContext, options: NativeOptions): System {
  const { source, target } = servers;
  return {
    name: options.name,
    prepare: async () => {
      await restoreDatabase(target, TARGET, options.template);
      await restoreSlot(source, SLOT, options.savedSlot);
      await execute(
        target,
        TARGET,
        `CREATE SUBSCRIPTION ${SUBSCRIPTION}
         CONNECTION ${quoteLiteral(conninfo(source, DATABASE, options.sourceAt))} PUBLICATION ${PUBLICATION}
         WITH (create_slot = false, slot_name = '${SLOT}', copy_data = false, enabled = false,
           streaming = ${options.streaming ?? false})`,
      );
      await checkpointBoth(servers);
    },
    run: async () => {
      await execute(target, TARGET, `ALTER SUBSCRIPTION ${SUBSCRIPTION} ENABLE`);
      await untilMarked(target, TARGET);
    },
    verify: async () => {
      await execute(
        target,
        TARGET,
        `ALTER SUBSCRIPTION ${SUBSCRIPTION} DISABLE`,
        `ALTER SUBSCRIPTION ${SUBSCRIPTION} SET (slot_name = NONE)`,
        `DROP SUBSCRIPTION ${SUBSCRIPTION}`,
      );
      await requireEqual({ server: source, database: DATABASE }, { server: target, database: TARGET });
      await dropUnusedSlot(source, SLOT);
    },
  };
}
