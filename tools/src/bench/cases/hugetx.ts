import { type Workload } from '../backlog/workload.js';
import { type BenchCase } from '../bench-case.js';
import { execute } from '../bench-servers.js';
import { withPeakMemory } from '../profile/peak-memory.js';
import { backlogSystems } from './backlog-case.js';

const BYTES = 2e9;
/** Of the payload; it is kept in the row as it is, as a row of this size is not worth compressing. */
const ROW_BYTES = 992;

export const hugetx: BenchCase = {
  systems: async (context) => {
    const systems = await backlogSystems(context, oneHuge(context.scale), { nativeStreaming: true });
    return systems.map((system) =>
      system.name === 'sluice' ? withPeakMemory(system, () => context.sluice.services()) : system,
    );
  },
};

/** One transaction that inserts so many bytes. */
function oneHuge(scale: number): Workload {
  const rows = Math.max(1, Math.round((BYTES * scale) / ROW_BYTES));
  return {
    description: `one transaction of ${rows} rows with ${((rows * ROW_BYTES) / 1e6).toFixed(0)} MB`,
    createBase: (server, database) =>
      execute(server, database, 'CREATE TABLE huge (id bigint PRIMARY KEY, payload text NOT NULL)'),
    write: (server, database) =>
      execute(
        server,
        database,
        `INSERT INTO huge SELECT i, repeat(md5(i::text), ${ROW_BYTES / 32}) FROM generate_series(1, ${rows}) i`,
      ),
  };
}
